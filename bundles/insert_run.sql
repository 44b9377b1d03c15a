-- A run begins. ?1 run, ?2 plan digest, ?3 started (microseconds).
INSERT INTO run (run, plan, started) VALUES (?1, ?2, ?3)
