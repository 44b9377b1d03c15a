-- Which of these history tables were rewritten or truncated since our snapshot: what the snapshot's pg_class says of their
-- file is not what holds now. Asked while our locks on them stand. $1 oid[]: the tables; rows: their schemas (oid).
SELECT c.relnamespace
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u (oid)
CROSS JOIN LATERAL (SELECT r.relnamespace, r.relfilenode, r.oid FROM pg_catalog.pg_class AS r
	WHERE r.oid OPERATOR(pg_catalog.=) u.oid OFFSET 0) AS c
WHERE c.relfilenode OPERATOR(pg_catalog.<>) coalesce(pg_catalog.pg_relation_filenode(c.oid), 0::pg_catalog.oid)
