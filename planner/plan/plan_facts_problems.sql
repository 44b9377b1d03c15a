-- What the snapshot found wrong with the tenants list or a history table.
-- Parameters: 1 the facts object's text. Columns: rule, message.
SELECT value ->> '$.rule', value ->> '$.message' FROM json_each(?1, '$.problems') ORDER BY key;
