-- A record that came with a newer copy of the bundle. ?1 to ?4 as the columns stand.
INSERT OR IGNORE INTO receipt (run, seq, body, signature) VALUES (?1, ?2, ?3, ?4)
