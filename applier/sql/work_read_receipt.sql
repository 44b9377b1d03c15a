-- All records. Columns as in the table.
SELECT run, seq, body, signature FROM receipt ORDER BY run, seq
