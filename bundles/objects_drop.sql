-- Drop the objects that neither the snapshot nor the migrations nor the plan refer to.
DELETE FROM object WHERE digest NOT IN (
	SELECT configuration FROM target
	UNION SELECT facts FROM target
	UNION SELECT state FROM schema WHERE state IS NOT NULL
	UNION SELECT shape FROM schema WHERE shape IS NOT NULL
	UNION SELECT up FROM migration
	UNION SELECT down FROM migration WHERE down IS NOT NULL);
