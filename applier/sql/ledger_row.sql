-- Has this plan done this segment of this schema? $1 plan digest, $2 schema name, $3 segment, $4 xid of the attempt, or NULL, $5 its backend.
-- By name, since a schema that the plan makes has no oid beforehand. No row: no. Last columns: the attempt's fate.
-- Columns: done, schema oid, run, xid, shape after (hex), finished (microseconds), status of $4 (NULL: too old, or none), whether $5 is still at work for us.
SELECT f.plan_sha256 IS NOT NULL, f.schema_oid, a.run_id, a.xid, pg_catalog.encode(f.shape_after, 'hex'),
       (EXTRACT(epoch FROM f.finished) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8,
       pg_catalog.txid_status($4::pg_catalog.int8),
       EXISTS (SELECT FROM pg_catalog.pg_stat_activity s
                WHERE s.pid OPERATOR(pg_catalog.=) $5::pg_catalog.int4 AND pg_catalog.starts_with(s.application_name, 'pgdocket/')
                  AND s.state OPERATOR(pg_catalog.<>) 'idle')
  FROM (VALUES (1)) one(row)
  LEFT JOIN (pgdocket.applied a JOIN pgdocket.finished f
             ON (f.plan_sha256, f.schema_oid, f.segment) OPERATOR(pg_catalog.=) (a.plan_sha256, a.schema_oid, a.segment))
         ON (a.plan_sha256, a.schema_name, a.segment) OPERATOR(pg_catalog.=) ($1::pg_catalog.bytea, $2::pg_catalog.text, $3::pg_catalog.int4)
