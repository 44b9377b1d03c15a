-- Which database this is, for the record. All of it may be read by an unprivileged role.
-- Columns: system identifier, oid, name, version number, clock (microseconds).
SELECT (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c), d.oid, d.datname,
       pg_catalog.current_setting('server_version_num'),
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8
  FROM pg_catalog.pg_database d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
