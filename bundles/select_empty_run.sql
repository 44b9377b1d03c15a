-- A run without a single record: its receipts were taken out.
SELECT run FROM run WHERE run NOT IN (SELECT run FROM receipt) ORDER BY run LIMIT 1;
