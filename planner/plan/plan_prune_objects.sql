-- Remove the objects of an earlier plan and of earlier migrations: all that the snapshot's rows do not name.
DELETE FROM object WHERE digest NOT IN (
	SELECT configuration FROM target
	UNION SELECT facts FROM target
	UNION SELECT state FROM class WHERE state IS NOT NULL
	UNION SELECT shape FROM class WHERE shape IS NOT NULL);
