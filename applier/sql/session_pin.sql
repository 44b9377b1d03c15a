-- Pin a new session. Runs as one simple query; search_path comes first, so that nothing behind it can be captured.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
SELECT pg_catalog.set_config(pin.name, pin.value, false)
  FROM (VALUES ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('bytea_output', 'hex'),
               ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'),
               ('extra_float_digits', '1'), ('jit', 'off')) AS pin(name, value);
SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 140000
            THEN pg_catalog.set_config('client_connection_check_interval', '1s', false) END
