-- A signature that came with a newer copy of the bundle. ?1 to ?5 as the columns stand.
INSERT OR IGNORE INTO signature (statement, key, namespace, body, signature) VALUES (?1, ?2, ?3, ?4, ?5)
