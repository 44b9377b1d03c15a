-- Who holds the run lock. Columns: process, application, seconds since it connected.
SELECT a.pid, a.application_name,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.backend_start)::pg_catalog.int8
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
   AND l.database OPERATOR(pg_catalog.=) a.datid AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND l.classid::pg_catalog.int8 OPERATOR(pg_catalog.=) (8099552884421256564 OPERATOR(pg_catalog.>>) 32)
   AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=) (8099552884421256564 OPERATOR(pg_catalog.&) 4294967295)
   AND l.objsubid OPERATOR(pg_catalog.=) 1
