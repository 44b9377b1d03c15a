-- What has become of REINDEX TABLE CONCURRENTLY in the current schema.
--
-- $1 name  the table or materialized view
-- One row: verdict (ready: nothing shows whether it was done; broken: something is left behind; toast: the same in the
-- TOAST table, where it must be dropped by hand; missing, other, partitioned: not one table), the index to drop or NULL.
-- PostgreSQL 12 to 18.
SELECT CASE WHEN t.oid IS NULL THEN 'missing'
	WHEN t.relkind OPERATOR(pg_catalog.=) 'p' THEN 'partitioned'
	WHEN t.relkind OPERATOR(pg_catalog.<>) 'r' AND t.relkind OPERATOR(pg_catalog.<>) 'm' THEN 'other'
	WHEN r.toast THEN 'toast'
	WHEN r.name IS NOT NULL THEN 'broken'
	ELSE 'ready' END AS verdict, CASE WHEN NOT r.toast THEN r.name END AS leftover
FROM (SELECT pg_catalog.current_schema() AS schema) AS s
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) s.schema
LEFT JOIN pg_catalog.pg_class AS t ON t.relnamespace OPERATOR(pg_catalog.=) n.oid
	AND t.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
LEFT JOIN LATERAL (
	SELECT l.relname::pg_catalog.text AS name, x.indrelid OPERATOR(pg_catalog.<>) t.oid AS toast
	FROM pg_catalog.pg_index AS x
	JOIN pg_catalog.pg_class AS l ON l.oid OPERATOR(pg_catalog.=) x.indexrelid
	WHERE (x.indrelid OPERATOR(pg_catalog.=) t.oid OR x.indrelid OPERATOR(pg_catalog.=) t.reltoastrelid)
		AND NOT x.indisvalid AND l.relname::pg_catalog.text OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'
	ORDER BY x.indrelid OPERATOR(pg_catalog.=) t.oid DESC, l.relname LIMIT 1
) AS r ON true
