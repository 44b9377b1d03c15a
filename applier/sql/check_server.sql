-- The server as a whole: connections that the run needs, and what is to be known. $1 sessions at work, $2 the plan's version number.
WITH me AS (
       SELECT r.rolname, r.rolsuper, r.rolconnlimit, d.oid, d.datname, d.datconnlimit FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
        WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
     used AS (
       SELECT pg_catalog.count(*) AS all, pg_catalog.count(*) FILTER (WHERE a.usename OPERATOR(pg_catalog.=) m.rolname) AS role,
              pg_catalog.count(*) FILTER (WHERE a.datid OPERATOR(pg_catalog.=) m.oid) AS database
         FROM me m CROSS JOIN pg_catalog.pg_stat_activity a WHERE a.usesysid IS NOT NULL AND a.datid IS NOT NULL)
SELECT 'unfit', pg_catalog.concat('connections: ', $1::pg_catalog.int8 OPERATOR(pg_catalog.+) 1, ' more are needed (',
                  b.what, ': ', b.allowed, ', in use: ', b.used, ')'), 'fewer at a time (-j), or raise that limit'
  FROM me m CROSS JOIN used u CROSS JOIN LATERAL (VALUES
         ('max_connections less those reserved', u.all, pg_catalog.current_setting('max_connections')::pg_catalog.int4 OPERATOR(pg_catalog.-)
            CASE WHEN m.rolsuper THEN 0 ELSE pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4 OPERATOR(pg_catalog.+)
                                             COALESCE(pg_catalog.current_setting('reserved_connections', true), '0')::pg_catalog.int4 END),
         (pg_catalog.concat('CONNECTION LIMIT of role ', m.rolname), u.role, m.rolconnlimit),
         (pg_catalog.concat('CONNECTION LIMIT of database ', m.datname), u.database, CASE WHEN m.rolsuper THEN -1 ELSE m.datconnlimit END))
           AS b(what, used, allowed)
 WHERE b.allowed OPERATOR(pg_catalog.>=) 0 AND b.allowed OPERATOR(pg_catalog.-) b.used OPERATOR(pg_catalog.<=) $1::pg_catalog.int8
UNION ALL
SELECT 'note', n.text, n.hint
  FROM (SELECT m.*, pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version FROM me m) AS m CROSS JOIN LATERAL (VALUES
         (m.rolsuper, pg_catalog.concat(m.rolname, ' is a superuser'), 'a role with just the rights it needs is safer'),
         (m.version OPERATOR(pg_catalog.<>) $2::pg_catalog.int4,
          pg_catalog.concat('the server is ', m.version, ' by now, the snapshot is of ', $2::pg_catalog.int4), NULL),
         (m.version OPERATOR(pg_catalog.<) 140000, 'before PostgreSQL 14 a server does not notice at once that an applier was killed',
          'what it left behind ends with its statement, or after idle_in_transaction_session_timeout'),
         (pg_catalog.current_setting('synchronous_standby_names') OPERATOR(pg_catalog.<>) ''
            AND pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.<>) ALL ('{off,local}'::pg_catalog.text[])
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_replication r
                             WHERE COALESCE(r.sync_state, 'sync') OPERATOR(pg_catalog.=) ANY ('{sync,quorum}'::pg_catalog.text[])),
          'commits wait for a synchronous standby, and none is connected', 'see synchronous_standby_names')) AS n(holds, text, hint)
 WHERE n.holds
