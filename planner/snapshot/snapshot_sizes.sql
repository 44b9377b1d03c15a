-- Size estimates of all schemas in one pass over pg_class, as the last VACUUM or ANALYZE left them: schema (oid), tables,
-- rows, bytes. $1 text[]: history tables, not counted. Sorted by oid.
SELECT c.relnamespace,
	pg_catalog.count(*) FILTER (WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')),
	coalesce(pg_catalog.sum(c.reltuples) FILTER (WHERE c.reltuples OPERATOR(pg_catalog.>) 0
		AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,m}')), 0)::pg_catalog.int8,
	coalesce(pg_catalog.sum(c.relpages::pg_catalog.int8), 0)::pg_catalog.int8
		OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.int8
FROM pg_catalog.pg_class AS c
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,m,i}')
	AND (c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])) IS NOT TRUE
GROUP BY c.relnamespace
ORDER BY c.relnamespace
