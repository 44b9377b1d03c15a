-- A segment's first row, written before its statements. ledger_make_mutual.sql ties it to its row in finished.
CREATE TABLE IF NOT EXISTS pgdocket.applied (
  plan_sha256 bytea NOT NULL,
  schema_oid oid NOT NULL,
  segment int4 NOT NULL,
  schema_name text NOT NULL,
  run_id text NOT NULL,
  xid bigint NOT NULL DEFAULT pg_catalog.txid_current(),
  started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT applied_key PRIMARY KEY (plan_sha256, schema_oid, segment)
)
