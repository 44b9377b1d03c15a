-- How many schemas the first target has.
SELECT count(*) FROM schema WHERE target = (SELECT min(target) FROM target)
