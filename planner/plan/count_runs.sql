-- How many runs the bundle records.
SELECT count(*) FROM run;
