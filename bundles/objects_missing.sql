-- Objects that the snapshot, the migrations or the plan refer to and that the bundle does not hold.
-- Columns: digest.
SELECT digest FROM (
	SELECT configuration AS digest FROM target
	UNION SELECT facts FROM target
	UNION SELECT state FROM class WHERE state IS NOT NULL
	UNION SELECT shape FROM class WHERE shape IS NOT NULL
	UNION SELECT up FROM migration
	UNION SELECT down FROM migration WHERE down IS NOT NULL
	UNION SELECT document FROM plan)
WHERE digest NOT IN (SELECT digest FROM object)
ORDER BY digest;
