-- What a segment's statements leave behind and reach; asked before them and behind them.
-- $1 the schema's oid, $2 relations of which locks are announced ("*": anything but the ledger), $3 the shared schema.
-- Columns: a digest of the session's path and roles; one of what stands in the shared schema (by xmin also what was replaced);
-- a relation elsewhere that is locked unannounced. Of the ledger only the claim is ours at this moment: whoever touches more of it
-- forges rows.
SELECT pg_catalog.md5(pg_catalog.concat_ws('/', pg_catalog.quote_ident(CURRENT_USER), pg_catalog.quote_ident(SESSION_USER),
         pg_catalog.current_setting('session_replication_role'), pg_catalog.current_setting('search_path'))),
       CASE WHEN '*' OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.text[]) THEN (
         SELECT pg_catalog.concat(pg_catalog.count(*), ' ', pg_catalog.md5(pg_catalog.string_agg(
                  pg_catalog.concat_ws('/', d.classid, d.objid, d.xmin), ' '
                  ORDER BY d.classid USING OPERATOR(pg_catalog.<), d.objid USING OPERATOR(pg_catalog.<))))
           FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) d.refobjid
          WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                AND n.nspname OPERATOR(pg_catalog.=) $3::pg_catalog.text::pg_catalog.name) ELSE '' END,
       (SELECT pg_catalog.concat(n.nspname, '.', t.relname)
          FROM pg_catalog.pg_locks l
          JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
          LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
          JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) COALESCE(i.indrelid, c.oid)
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
         WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
               AND l.locktype OPERATOR(pg_catalog.=) 'relation'
               AND l.database OPERATOR(pg_catalog.=) (
                 SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
               AND l.mode OPERATOR(pg_catalog.<>) ALL ('{AccessShareLock,RowShareLock}'::pg_catalog.text[])
               AND n.oid OPERATOR(pg_catalog.<>) $1::pg_catalog.oid
               AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
               AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
               AND pg_catalog.concat(n.nspname, '.', t.relname) OPERATOR(pg_catalog.<>) ALL (
                 pg_catalog.array_append($2::pg_catalog.text[], 'pgdocket.applied'))
               AND ('*' OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.text[]) OR n.nspname OPERATOR(pg_catalog.=) 'pgdocket')
         ORDER BY n.nspname USING OPERATOR(pg_catalog.<), t.relname USING OPERATOR(pg_catalog.<)
         LIMIT 1)
