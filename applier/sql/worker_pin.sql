-- Pin a worker's session; no advisory lock stays on it. $1 lock_timeout, $2 statement_timeout, $3 identity (as session_facts). client_connection_check_interval is there from 14 on.
-- Notices are nobody's business: not even sent, they cannot fill this host's memory. What is recorded as committed outlives a crash.
-- Column: whether both roles are still those that the session began with.
WITH pinned AS MATERIALIZED (
  SELECT pg_catalog.count(pg_catalog.set_config(s.name, s.value, false)) AS settings
    FROM (VALUES ('search_path', 'pg_catalog, pg_temp', 0), ('DateStyle', 'ISO, MDY', 0),
                 ('IntervalStyle', 'postgres', 0), ('TimeZone', 'UTC', 0), ('bytea_output', 'hex', 0),
                 ('standard_conforming_strings', 'on', 0), ('extra_float_digits', '1', 0), ('jit', 'off', 0), ('quote_all_identifiers', 'off', 0),
                 ('tcp_keepalives_idle', '10', 0), ('tcp_keepalives_interval', '5', 0), ('tcp_keepalives_count', '3', 0),
                 ('tcp_user_timeout', '30000', 0), ('client_encoding', 'UTF8', 0), ('client_min_messages', 'error', 0), ('client_connection_check_interval', '1s', 140000),
                 ('idle_session_timeout', '0', 140000), ('idle_in_transaction_session_timeout', '60s', 0), ('lock_timeout', $1::pg_catalog.text, 0),
                 ('statement_timeout', $2::pg_catalog.text, 0), ('synchronous_commit', 'on', 0)) AS s(name, value, since)
   WHERE s.since OPERATOR(pg_catalog.<=) pg_catalog.current_setting('server_version_num')::pg_catalog.int4
         AND (s.name OPERATOR(pg_catalog.<>) 'synchronous_commit' OR pg_catalog.current_setting(s.name) OPERATOR(pg_catalog.=) 'off')
), unlocked AS MATERIALIZED (SELECT pg_catalog.pg_advisory_unlock_all())
SELECT pg_catalog.concat_ws('/', pg_catalog.quote_ident(CURRENT_USER), pg_catalog.quote_ident(SESSION_USER)) OPERATOR(pg_catalog.=) $3::pg_catalog.text FROM pinned, unlocked
