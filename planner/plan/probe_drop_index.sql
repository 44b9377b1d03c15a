-- What has become of DROP INDEX CONCURRENTLY in the current schema. An index that is half dropped is dropped again.
--
-- $1 name  the index
-- One row: verdict (open, done; other: what has the name is no index), NULL. PostgreSQL 12 to 18.
SELECT CASE WHEN c.oid IS NULL THEN 'done'
	WHEN c.relkind OPERATOR(pg_catalog.=) 'i' OR c.relkind OPERATOR(pg_catalog.=) 'I' THEN 'open'
	ELSE 'other' END AS verdict, NULL::pg_catalog.text AS leftover
FROM (SELECT pg_catalog.current_schema() AS schema) AS s
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) s.schema
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
	AND c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
