-- Who would be waited for: sessions with a transaction older than ten seconds, and prepared transactions, that hold locks in the plan's
-- schemas, or, for statements outside of transactions, an old snapshot. $1 oids, $2 whether the plan has such statements.
WITH held AS (
       SELECT l.pid, l.virtualtransaction, pg_catalog.count(DISTINCT c.relnamespace) AS schemas
         FROM pg_catalog.pg_locks l
         JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
         JOIN pg_catalog.unnest($1::pg_catalog.int8[]) AS p(oid) ON p.oid OPERATOR(pg_catalog.=) c.relnamespace::pg_catalog.int8
        WHERE l.granted AND l.database OPERATOR(pg_catalog.=) (
                SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
        GROUP BY l.pid, l.virtualtransaction),
     session AS (
       SELECT a.*, h.schemas, EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)::pg_catalog.int8 AS age
         FROM pg_catalog.pg_stat_activity a LEFT JOIN held h ON h.pid OPERATOR(pg_catalog.=) a.pid
        WHERE a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())
SELECT 'note', pg_catalog.concat('process ', s.pid, ' ',
         CASE WHEN s.application_name OPERATOR(pg_catalog.<>) '' THEN s.application_name ELSE s.backend_type END,
         CASE WHEN s.query OPERATOR(pg_catalog.~~) 'autovacuum: %(to prevent wraparound)' THEN ' to prevent wraparound, which gives way to nobody' END,
         ', ', s.state, CASE WHEN s.schemas IS NULL THEN ', keeps an old snapshot'
                             ELSE pg_catalog.concat(', holds locks in ', s.schemas, ' schemas') END, ' for ', s.age, ' s'), NULL
  FROM session s
 WHERE s.age OPERATOR(pg_catalog.>) 10 AND (s.schemas IS NOT NULL OR $2::pg_catalog.bool AND s.backend_xmin IS NOT NULL
         AND s.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
UNION ALL
SELECT 'note', pg_catalog.concat(pg_catalog.count(*), ' sessions of other roles hold locks in the plan''s schemas; since when, this role may not see'),
       pg_catalog.concat('GRANT pg_read_all_stats TO ', pg_catalog.quote_ident(CURRENT_USER), ';')
  FROM session s WHERE s.schemas IS NOT NULL AND s.backend_type IS NULL HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
UNION ALL
SELECT 'note', pg_catalog.concat('prepared transaction ', p.gid, ' of role ', p.owner, ', prepared ', p.prepared, ', holds locks in ', h.schemas, ' schemas'),
       'COMMIT PREPARED or ROLLBACK PREPARED ends it'
  FROM held h
  JOIN pg_catalog.pg_locks l ON l.virtualtransaction OPERATOR(pg_catalog.=) h.virtualtransaction AND l.pid IS NULL
  JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) l.transactionid
 WHERE h.pid IS NULL
