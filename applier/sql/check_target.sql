-- Is this the plan's database, and may anything be written to it? $1 system identifier, $2 database, $3 its oid, $4 version number, all
-- as planned; $5 this host's clock (microseconds), $6 by how much the clocks may differ (ms). Columns of each check_*.sql: kind (info,
-- note, unfit, or the reason of a refusal), what was found, the way out (or NULL). No rows: nothing to tell.
SELECT 'identity', pg_catalog.concat('this is another database than the plan''s: ', f.what, ' is ', f.found, ', planned for ', f.planned),
       'look at -d, -h and the policy''s conninfo-file; a plan serves only the target it was made for'
  FROM pg_catalog.pg_database d
  CROSS JOIN LATERAL (VALUES
         ('the system identifier', (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c)::pg_catalog.text, $1::pg_catalog.text),
         ('the database', d.datname::pg_catalog.text, $2::pg_catalog.text),
         ('its oid', d.oid::pg_catalog.text, $3::pg_catalog.text),
         ('the server''s major version', (pg_catalog.current_setting('server_version_num')::pg_catalog.int4
                                          OPERATOR(pg_catalog./) 10000)::pg_catalog.text,
          ($4::pg_catalog.int4 OPERATOR(pg_catalog./) 10000)::pg_catalog.text)) AS f(what, found, planned)
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND f.found OPERATOR(pg_catalog.<>) f.planned
UNION ALL
SELECT 'unfit', 'the server is a standby', 'connect to the primary' WHERE pg_catalog.pg_is_in_recovery()
UNION ALL
SELECT 'unfit', 'the session is read-only', 'take default_transaction_read_only away from the role or the database'
 WHERE NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on'
UNION ALL
SELECT 'clock', pg_catalog.concat('the clocks of this host and of the server differ by ', c.skew_ms OPERATOR(pg_catalog./) 1000, ' s'),
       pg_catalog.concat('set the clocks; the policy allows ', $6::pg_catalog.int8 OPERATOR(pg_catalog./) 1000, ' s (max-clock-skew)')
  FROM (SELECT pg_catalog.abs((EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8
                              OPERATOR(pg_catalog.-) ($5::pg_catalog.int8 OPERATOR(pg_catalog./) 1000)) AS skew_ms) AS c
 WHERE c.skew_ms OPERATOR(pg_catalog.>) $6::pg_catalog.int8
