-- Transactions older than ten seconds that hold locks in schemas of the plan. $1 oids. Column: one line for people.
SELECT pg_catalog.concat('process ', a.pid, ' ',
         CASE WHEN a.application_name OPERATOR(pg_catalog.<>) '' THEN a.application_name ELSE a.backend_type END, ', ', a.state,
         ', holds locks in ', pg_catalog.count(DISTINCT c.relnamespace), ' schemas for ',
         pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start))::pg_catalog.int8, ' s')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
                            AND c.relnamespace::pg_catalog.int8 OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.int8[])
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.granted AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                           WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start OPERATOR(pg_catalog.>) '10 seconds'::pg_catalog.interval
 GROUP BY a.pid, a.application_name, a.backend_type, a.state
