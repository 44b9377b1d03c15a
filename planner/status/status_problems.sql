-- Problems with the tenants list and history tables, out of the facts ?1 (JSON): rule, schema, message.
SELECT json_extract(value, '$.rule'), json_extract(value, '$.schema'), json_extract(value, '$.message')
FROM json_each(?1, '$.problems')
