-- Pin a new session. client_connection_check_interval is there from 14 on. Behind a pipeline's unfinished part the server counts
-- no idle time: only keepalives tell it that this host is gone, and its system's own take two hours.
SELECT pg_catalog.count(pg_catalog.set_config(pin.name, pin.value, false))
  FROM (VALUES ('DateStyle', 'ISO, MDY', 0), ('IntervalStyle', 'postgres', 0), ('TimeZone', 'UTC', 0),
               ('bytea_output', 'hex', 0), ('standard_conforming_strings', 'on', 0),
               ('quote_all_identifiers', 'off', 0), ('client_min_messages', 'error', 0),
               ('extra_float_digits', '1', 0), ('jit', 'off', 0),
               ('tcp_keepalives_idle', '10', 0), ('tcp_keepalives_interval', '5', 0), ('tcp_keepalives_count', '3', 0),
               ('tcp_user_timeout', '30000', 0), ('client_connection_check_interval', '1s', 140000)) AS pin(name, value, since)
 WHERE pin.since OPERATOR(pg_catalog.<=) pg_catalog.current_setting('server_version_num')::pg_catalog.int4
