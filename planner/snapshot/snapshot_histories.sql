-- Tables with the names of history tables: schema (oid), table (oid), name, may we read it, columns as "name:type ..." sorted
-- by name. $1 text[]: the names. Sorted by schema.
SELECT c.relnamespace, c.oid, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT'),
	(SELECT pg_catalog.string_agg(pg_catalog.concat(a.attname, ':', t.typname), ' '
			ORDER BY a.attname::pg_catalog.text COLLATE pg_catalog."C")
		FROM pg_catalog.pg_attribute AS a
		CROSS JOIN LATERAL (SELECT y.typname FROM pg_catalog.pg_type AS y
			WHERE y.oid OPERATOR(pg_catalog.=) a.atttypid OFFSET 0) AS t
		WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_class AS c
WHERE c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]) AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}')
ORDER BY c.relnamespace, c.relname
