-- A plan is complete. $1 plan digest.
UPDATE pgdocket.plan SET status = 'done', done = pg_catalog.clock_timestamp()
 WHERE plan_sha256 OPERATOR(pg_catalog.=) $1::pg_catalog.bytea AND status OPERATOR(pg_catalog.<>) 'done'
