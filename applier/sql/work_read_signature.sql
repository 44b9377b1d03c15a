-- All signatures. Columns as in the table.
SELECT statement, key, namespace, body, signature FROM signature ORDER BY statement, key
