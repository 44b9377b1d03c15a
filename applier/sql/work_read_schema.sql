-- The schemas that the snapshot knows. ?1 target.
SELECT name FROM schema WHERE target = ?1 ORDER BY name
