-- Objects that neither the snapshot nor the migrations nor the plan refer to: only a plan document may name them.
-- Columns: digest.
SELECT digest FROM object WHERE digest NOT IN (
	SELECT configuration FROM target
	UNION SELECT facts FROM target
	UNION SELECT state FROM schema WHERE state IS NOT NULL
	UNION SELECT shape FROM schema WHERE shape IS NOT NULL
	UNION SELECT up FROM migration
	UNION SELECT down FROM migration WHERE down IS NOT NULL
	UNION SELECT document FROM plan)
ORDER BY digest;
