-- The ledger: its owner, as whom nobody logs in, its schema and its tables; what is there already is left alone. Whoever is no
-- superuser must be a member of the owner to create things for it; ledger_make_end.sql takes that back. plan: those that were begun
-- here. applied and finished: a segment's first row, written before its statements, and its last, behind them in the same
-- transaction; each needs the other, applied at COMMIT, finished at once: nothing commits one alone. intent: what a statement that
-- runs outside of a transaction is about to make.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'pgdocket_owner') THEN
    CREATE ROLE pgdocket_owner NOLOGIN NOINHERIT;
    COMMENT ON ROLE pgdocket_owner IS 'owns the ledger of pgdocket; nobody logs in as it';
  END IF;
  IF NOT pg_catalog.pg_has_role(CURRENT_USER, 'pgdocket_owner', 'MEMBER') THEN
    GRANT pgdocket_owner TO CURRENT_USER;
    PERFORM pg_catalog.set_config('pgdocket.membership', 'borrowed', true);
  END IF;
  CREATE SCHEMA IF NOT EXISTS pgdocket AUTHORIZATION pgdocket_owner;
  SET LOCAL ROLE pgdocket_owner; -- as whom also the grants are made
  CREATE TABLE IF NOT EXISTS pgdocket.plan (
    plan_sha256 bytea NOT NULL PRIMARY KEY CHECK (pg_catalog.octet_length(plan_sha256) OPERATOR(pg_catalog.=) 32),
    label text NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'done'])),
    first_run text NOT NULL,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    done timestamptz);
  CREATE TABLE IF NOT EXISTS pgdocket.applied (
    plan_sha256 bytea NOT NULL,
    schema_oid oid NOT NULL,
    segment int4 NOT NULL,
    schema_name text NOT NULL,
    run_id text NOT NULL,
    xid bigint NOT NULL DEFAULT pg_catalog.txid_current(),
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT applied_key PRIMARY KEY (plan_sha256, schema_oid, segment));
  CREATE TABLE IF NOT EXISTS pgdocket.finished (
    plan_sha256 bytea NOT NULL,
    schema_oid oid NOT NULL,
    segment int4 NOT NULL,
    state_after bytea NOT NULL,
    shape_after bytea,
    audit_head bytea NOT NULL,
    finished timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT finished_key PRIMARY KEY (plan_sha256, schema_oid, segment),
    CONSTRAINT finished_was_applied FOREIGN KEY (plan_sha256, schema_oid, segment) REFERENCES pgdocket.applied);
  CREATE TABLE IF NOT EXISTS pgdocket.intent (
    plan_sha256 bytea NOT NULL,
    schema_oid oid NOT NULL,
    segment int4 NOT NULL,
    run_id text NOT NULL,
    object text NOT NULL,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT intent_key PRIMARY KEY (plan_sha256, schema_oid, segment));
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname OPERATOR(pg_catalog.=) 'applied_is_finished'
                    AND conrelid OPERATOR(pg_catalog.=) 'pgdocket.applied'::pg_catalog.regclass) THEN
    ALTER TABLE pgdocket.applied ADD CONSTRAINT applied_is_finished
      FOREIGN KEY (plan_sha256, schema_oid, segment) REFERENCES pgdocket.finished DEFERRABLE INITIALLY DEFERRED;
  END IF;
END $$;
