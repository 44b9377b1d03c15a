-- The role that owns the ledger; nobody logs in as it. Whoever is no superuser must be a member to create things for it;
-- ledger_make_end.sql takes that back.
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
END $$
