-- Where the write-ahead log stands, for a restore to this point. Any role may ask. Column: LSN, timeline, time in one text.
SELECT pg_catalog.concat(w.lsn, ' timeline ',
         pg_catalog.concat('x', pg_catalog.substr(pg_catalog.pg_walfile_name(w.lsn), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4,
         pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()), ' YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
  FROM pg_catalog.pg_current_wal_insert_lsn() AS w(lsn)
