-- How many plans the bundle holds: none or one.
SELECT count(*) FROM plan;
