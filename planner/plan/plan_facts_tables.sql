-- The history tables that the snapshot left out of every shape.
-- Parameters: 1 the facts object's text. Columns: name.
SELECT value FROM json_each(?1, '$.history_tables') ORDER BY key;
