-- What has become of CREATE INDEX CONCURRENTLY in the current schema.
--
-- $1 name  the index
-- $2 name  its table
-- One row: verdict (open, done, broken; other: something else has the name), the index to drop or NULL.
-- PostgreSQL 12 to 18.
SELECT v.verdict, CASE WHEN v.verdict OPERATOR(pg_catalog.=) 'broken' THEN $1::pg_catalog.name::pg_catalog.text END AS leftover
FROM (
	SELECT CASE WHEN c.oid IS NULL THEN 'open'
		WHEN i.indexrelid IS NULL OR t.relname OPERATOR(pg_catalog.<>) $2::pg_catalog.name THEN 'other'
		WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'done'
		ELSE 'broken' END AS verdict
	FROM (SELECT pg_catalog.current_schema() AS schema) AS s
	LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) s.schema
	LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
		AND c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
	LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
	LEFT JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
) AS v
