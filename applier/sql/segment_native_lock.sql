-- The migration framework's own lock, for the rest of the transaction. $1 its key. False: someone else migrates.
SELECT pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8)
