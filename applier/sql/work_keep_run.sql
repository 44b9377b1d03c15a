-- A run that came with a newer copy of the bundle. ?1 to ?3 as the columns stand.
INSERT OR IGNORE INTO run (run, plan, started) VALUES (?1, ?2, ?3)
