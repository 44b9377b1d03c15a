-- One plan's row. $1 plan digest. Columns: first run, done (microseconds since 1970).
SELECT p.first_run, (EXTRACT(epoch FROM p.done) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8
  FROM pgdocket.plan p WHERE p.plan_sha256 OPERATOR(pg_catalog.=) $1::pg_catalog.bytea
