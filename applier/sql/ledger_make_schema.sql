-- The ledger's schema. Left alone when it is there.
CREATE SCHEMA IF NOT EXISTS pgdocket AUTHORIZATION pgdocket_owner
