-- Which database this is, and what it is fit for. All of it may be read by an unprivileged role.
-- Columns: system identifier, oid, name, version number, in recovery, read-only, superuser, role, clock (microseconds), timeline.
SELECT (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c), d.oid, d.datname,
       pg_catalog.current_setting('server_version_num'), pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on',
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER), CURRENT_USER,
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8,
       (SELECT p.timeline_id FROM pg_catalog.pg_control_checkpoint() p)
  FROM pg_catalog.pg_database d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
