-- Does the snapshot know this schema? ?1 target, ?2 name.
SELECT 1 FROM schema WHERE target = ?1 AND name = ?2
