-- All that one plan has done, segment by segment, oldest first. $1 plan digest. Digests in hex.
-- Columns: schema oid, schema name, segment, run, xid, state after, shape after, audit head, finished (microseconds).
SELECT f.schema_oid, a.schema_name, f.segment, a.run_id, a.xid, pg_catalog.encode(f.state_after, 'hex'),
       pg_catalog.encode(f.shape_after, 'hex'), pg_catalog.encode(f.audit_head, 'hex'),
       (EXTRACT(epoch FROM f.finished) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8
  FROM pgdocket.finished f
  JOIN pgdocket.applied a ON (a.plan_sha256, a.schema_oid, a.segment) OPERATOR(pg_catalog.=) (f.plan_sha256, f.schema_oid, f.segment)
 WHERE f.plan_sha256 OPERATOR(pg_catalog.=) $1::pg_catalog.bytea
 ORDER BY f.segment, f.finished, f.schema_oid
