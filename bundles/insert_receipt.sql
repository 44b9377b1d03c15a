-- One record. ?1 run, ?2 seq, ?3 body, ?4 signature of a checkpoint, or NULL.
INSERT INTO receipt (run, seq, body, signature) VALUES (?1, ?2, ?3, ?4)
