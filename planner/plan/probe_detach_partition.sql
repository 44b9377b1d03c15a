-- What has become of ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY in the current schema.
--
-- $1 name  the partition
-- $2 name  the partitioned table
-- One row: verdict (open, done; pending: it stopped half-way, and only DETACH PARTITION ... FINALIZE ends it; missing),
-- NULL. PostgreSQL 14 to 18.
SELECT CASE WHEN p.oid IS NULL OR t.oid IS NULL THEN 'missing'
	WHEN h.inhrelid IS NULL THEN 'done'
	WHEN h.inhdetachpending THEN 'pending'
	ELSE 'open' END AS verdict, NULL::pg_catalog.text AS leftover
FROM (SELECT pg_catalog.current_schema() AS schema) AS s
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) s.schema
LEFT JOIN pg_catalog.pg_class AS p ON p.relnamespace OPERATOR(pg_catalog.=) n.oid
	AND p.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
LEFT JOIN pg_catalog.pg_class AS t ON t.relnamespace OPERATOR(pg_catalog.=) n.oid
	AND t.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid OPERATOR(pg_catalog.=) p.oid AND h.inhparent OPERATOR(pg_catalog.=) t.oid
