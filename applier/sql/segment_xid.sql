-- The transaction that this is: the same as at its beginning, or something ended that one in between.
SELECT pg_catalog.txid_current()
