-- Statements that were begun outside of a transaction and whose segments are not done. $1 plan digest. Columns: schema name, segment.
SELECT n.nspname, i.segment
  FROM pgdocket.intent i
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) i.schema_oid
 WHERE i.plan_sha256 OPERATOR(pg_catalog.=) $1::pg_catalog.bytea
   AND NOT EXISTS (SELECT FROM pgdocket.finished f
                    WHERE (f.plan_sha256, f.schema_oid, f.segment) OPERATOR(pg_catalog.=) (i.plan_sha256, i.schema_oid, i.segment))
