-- Sessions that an earlier run left behind, still at work in this database. Columns: process, application, state.
SELECT a.pid, a.application_name, a.state
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND pg_catalog.starts_with(a.application_name, 'pgdocket/')
   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND (a.state IS NULL OR a.state OPERATOR(pg_catalog.<>) 'idle')
