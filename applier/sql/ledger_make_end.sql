-- A membership that ledger_make_owner.sql borrowed is given back.
DO $$
BEGIN
  IF pg_catalog.current_setting('pgdocket.membership', true) OPERATOR(pg_catalog.=) 'borrowed' THEN
    REVOKE pgdocket_owner FROM CURRENT_USER;
  END IF;
END $$
