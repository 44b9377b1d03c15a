-- Does the snapshot know this schema as a tenant? An orphan that was listed since is not one. ?1 target, ?2 name.
SELECT 1 FROM schema WHERE target = ?1 AND name = ?2 AND listed = 1
