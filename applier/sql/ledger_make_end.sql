-- Behind ledger_make.sql and the grants: a membership that was borrowed is given back.
DO $$
BEGIN
  RESET ROLE;
  IF pg_catalog.current_setting('pgdocket.membership', true) OPERATOR(pg_catalog.=) 'borrowed' THEN
    REVOKE pgdocket_owner FROM CURRENT_USER;
  END IF;
END $$;
