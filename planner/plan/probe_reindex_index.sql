-- What has become of REINDEX INDEX CONCURRENTLY in the current schema. It builds NAME_ccnew and leaves NAME_ccold behind,
-- numbered when taken, with NAME cut when it is long.
--
-- $1 name  the index
-- One row: verdict (ready: nothing shows whether it was done; broken: something is left behind; missing, other,
-- partitioned: not one index), the index to drop or NULL. PostgreSQL 12 to 18.
SELECT CASE WHEN c.oid IS NULL THEN 'missing'
	WHEN c.relkind OPERATOR(pg_catalog.=) 'I' THEN 'partitioned'
	WHEN i.indexrelid IS NULL THEN 'other'
	WHEN r.name IS NOT NULL THEN 'broken'
	ELSE 'ready' END AS verdict, r.name AS leftover
FROM (SELECT pg_catalog.current_schema() AS schema) AS s
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) s.schema
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
	AND c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
LEFT JOIN LATERAL (
	SELECT l.relname::pg_catalog.text AS name
	FROM pg_catalog.pg_index AS x
	JOIN pg_catalog.pg_class AS l ON l.oid OPERATOR(pg_catalog.=) x.indexrelid
	CROSS JOIN LATERAL (SELECT pg_catalog.regexp_replace(l.relname::pg_catalog.text, '_cc(new|old)[0-9]*$', '') AS base) AS b
	WHERE x.indrelid OPERATOR(pg_catalog.=) i.indrelid AND x.indexrelid OPERATOR(pg_catalog.<>) i.indexrelid
		AND NOT x.indisvalid AND b.base OPERATOR(pg_catalog.<>) l.relname::pg_catalog.text
		AND (b.base OPERATOR(pg_catalog.=) $1::pg_catalog.name::pg_catalog.text
			OR (pg_catalog.octet_length(b.base) OPERATOR(pg_catalog.>) 50
				AND pg_catalog.starts_with($1::pg_catalog.name::pg_catalog.text, b.base)))
	ORDER BY l.relname LIMIT 1
) AS r ON true
