-- All schemas that are not PostgreSQL's own: oid, name, may we use it. Sorted by name, bytewise.
SELECT n.oid, n.nspname, pg_catalog.has_schema_privilege(n.oid, 'USAGE')
FROM pg_catalog.pg_namespace AS n
WHERE pg_catalog.left(n.nspname::pg_catalog.text, 3) OPERATOR(pg_catalog.<>) 'pg_'
	AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
ORDER BY n.nspname::pg_catalog.text COLLATE pg_catalog."C"
