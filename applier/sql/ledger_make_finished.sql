-- A segment's last row, written behind its statements, in the same transaction.
CREATE TABLE IF NOT EXISTS pgdocket.finished (
  plan_sha256 bytea NOT NULL,
  schema_oid oid NOT NULL,
  segment int4 NOT NULL,
  state_after bytea NOT NULL,
  shape_after bytea,
  audit_head bytea NOT NULL,
  finished timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT finished_key PRIMARY KEY (plan_sha256, schema_oid, segment),
  CONSTRAINT finished_was_applied FOREIGN KEY (plan_sha256, schema_oid, segment) REFERENCES pgdocket.applied
)
