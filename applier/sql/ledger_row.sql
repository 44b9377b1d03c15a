-- Has this plan done this segment of this schema? $1 plan digest, $2 schema name, $3 segment, $4 xid of the attempt, or NULL.
-- By name, since a schema that the plan makes has no oid beforehand. No row: no. Last columns: the attempt's fate.
-- Columns: done, schema oid, run, xid, shape after (hex), finished (microseconds), status of $4 (NULL: too old, or none).
SELECT d.plan_sha256 IS NOT NULL, d.schema_oid, d.run_id, d.xid, pg_catalog.encode(d.shape_after, 'hex'),
       (EXTRACT(epoch FROM d.finished) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8,
       pg_catalog.txid_status($4::pg_catalog.int8)
  FROM (VALUES (1)) one(row)
  LEFT JOIN (SELECT f.plan_sha256, f.schema_oid, a.run_id, a.xid, f.shape_after, f.finished
               FROM pgdocket.applied a
               JOIN pgdocket.finished f ON f.plan_sha256 OPERATOR(pg_catalog.=) a.plan_sha256
                                       AND f.schema_oid OPERATOR(pg_catalog.=) a.schema_oid
                                       AND f.segment OPERATOR(pg_catalog.=) a.segment
              WHERE a.plan_sha256 OPERATOR(pg_catalog.=) $1::pg_catalog.bytea
                AND a.schema_name OPERATOR(pg_catalog.=) $2::pg_catalog.text
                AND a.segment OPERATOR(pg_catalog.=) $3::pg_catalog.int4) d ON true
