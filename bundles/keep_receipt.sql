-- A record that came with another copy of the bundle. ?1 to ?4 as the columns stand.
-- Answers 1 where another record stands in its place.
INSERT INTO receipt (run, seq, body, signature) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (run, seq) DO UPDATE SET seq = seq WHERE body IS NOT excluded.body
RETURNING body IS NOT ?3
