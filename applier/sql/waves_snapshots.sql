-- Who holds a snapshot that a concurrent index build must wait for. Column: one line for people, oldest first; NULL: nobody.
SELECT pg_catalog.string_agg(b.line, '; ' ORDER BY b.age DESC)
  FROM (SELECT pg_catalog.concat('process ', a.pid, ' ',
                 CASE WHEN a.application_name OPERATOR(pg_catalog.<>) '' THEN a.application_name ELSE a.backend_type END,
                 ' ', a.state, ' ', t.age::pg_catalog.int8, ' s') AS line, t.age
          FROM pg_catalog.pg_stat_activity a
         CROSS JOIN LATERAL (SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start) AS age) t
         WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
           AND a.backend_xmin IS NOT NULL
           AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
           AND t.age OPERATOR(pg_catalog.>) 5
         ORDER BY 2 DESC
         LIMIT 5) b
