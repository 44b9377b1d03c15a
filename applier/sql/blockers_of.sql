-- Who holds locks on a schema's relations. $1 schema oid, $2 how our sessions' names begin. Oldest transactions first.
-- Columns: one line for people: process, application or kind, state, age of its transaction.
SELECT pg_catalog.string_agg(b.line, '; ' ORDER BY b.age DESC)
  FROM (SELECT pg_catalog.concat('process ', a.pid, ' ',
                 CASE WHEN a.application_name OPERATOR(pg_catalog.<>) '' THEN a.application_name ELSE a.backend_type END,
                 ' ', a.state, ' ', pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                                           OPERATOR(pg_catalog.-) a.xact_start))::pg_catalog.int8, ' s') AS line,
               pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)) AS age
          FROM pg_catalog.pg_locks l
          JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
                                    AND c.relnamespace OPERATOR(pg_catalog.=) $1::pg_catalog.oid
          JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
         WHERE l.granted
           AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                                   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
           AND NOT pg_catalog.starts_with(a.application_name, $2::pg_catalog.text)
         GROUP BY a.pid, a.application_name, a.backend_type, a.state
         ORDER BY 2 DESC
         LIMIT 5) b
