-- Claim a segment. $1 plan digest, $2 schema name, $3 segment, $4 run. The oid is the server's: a schema may have been made just now.
-- Columns: xid, schema oid. No row: there is no such schema. 23505: the segment is done.
INSERT INTO pgdocket.applied (plan_sha256, schema_oid, segment, schema_name, run_id)
SELECT $1::pg_catalog.bytea, n.oid, $3::pg_catalog.int4, n.nspname, $4::pg_catalog.text
  FROM pg_catalog.pg_namespace n
 WHERE n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.text::pg_catalog.name
RETURNING xid, schema_oid
