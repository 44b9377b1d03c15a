-- Is this still the transaction that claimed the segment? $1 its xid. Otherwise something ended that one in between.
SELECT pg_catalog.txid_current() OPERATOR(pg_catalog.=) $1::pg_catalog.int8
