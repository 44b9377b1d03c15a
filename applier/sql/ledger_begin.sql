-- Enter a plan. $1 plan digest, $2 label, $3 run. Does nothing when it is there.
INSERT INTO pgdocket.plan (plan_sha256, label, first_run)
VALUES ($1::pg_catalog.bytea, $2::pg_catalog.text, $3::pg_catalog.text)
ON CONFLICT (plan_sha256) DO NOTHING
