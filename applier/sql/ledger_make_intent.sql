-- What a statement that runs outside of a transaction is about to make.
CREATE TABLE IF NOT EXISTS pgdocket.intent (
  plan_sha256 bytea NOT NULL,
  schema_oid oid NOT NULL,
  segment int4 NOT NULL,
  run_id text NOT NULL,
  object text NOT NULL,
  started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT intent_key PRIMARY KEY (plan_sha256, schema_oid, segment)
)
