-- Plans that were begun here.
CREATE TABLE IF NOT EXISTS pgdocket.plan (
  plan_sha256 bytea NOT NULL PRIMARY KEY CHECK (pg_catalog.octet_length(plan_sha256) OPERATOR(pg_catalog.=) 32),
  label text NOT NULL,
  status text NOT NULL DEFAULT 'running' CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'done'])),
  first_run text NOT NULL,
  started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  done timestamptz
)
