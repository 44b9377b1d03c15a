-- All runs. Columns as in the table.
SELECT run, plan, started FROM run ORDER BY run
