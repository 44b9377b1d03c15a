-- What a segment's statements reach; asked before them and behind them, under the session's own search_path, so that it is planned once.
-- $1 the schema's oid, $2 relations of which locks are announced ("*": anything but the ledger), $3 the shared schema.
-- Columns: a digest of what stands in the shared schema (by xmin also what was replaced); a relation elsewhere that is locked unannounced.
-- Of the ledger only the claim is ours at this moment: whoever touches more of it forges rows.
-- It reads few catalogs, one for each row of another (LATERAL, OFFSET 0). An index stands in its table's schema.
SELECT CASE WHEN '*' OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.text[]) THEN (
         SELECT pg_catalog.concat(pg_catalog.count(*), ' ', pg_catalog.md5(pg_catalog.string_agg(
                  pg_catalog.concat_ws('/', d.classid, d.objid, d.xmin), ' '
                  ORDER BY d.classid USING OPERATOR(pg_catalog.<), d.objid USING OPERATOR(pg_catalog.<))))
           FROM pg_catalog.pg_depend d
          WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                AND d.refobjid OPERATOR(pg_catalog.=)
                    pg_catalog.to_regnamespace(pg_catalog.quote_ident($3::pg_catalog.text))) ELSE '' END,
       (SELECT pg_catalog.concat(n.nspname, '.', t.relname)
          FROM pg_catalog.pg_lock_status() l
         CROSS JOIN LATERAL (
           SELECT COALESCE((SELECT i.indrelid FROM pg_catalog.pg_index i
                             WHERE i.indexrelid OPERATOR(pg_catalog.=) r.oid), r.oid) AS oid, r.relnamespace
             FROM pg_catalog.pg_class r
            WHERE r.oid OPERATOR(pg_catalog.=) l.relation AND r.relnamespace OPERATOR(pg_catalog.<>) $1::pg_catalog.oid
           OFFSET 0) c
         CROSS JOIN LATERAL (
           SELECT s.nspname FROM pg_catalog.pg_namespace s
            WHERE s.oid OPERATOR(pg_catalog.=) c.relnamespace AND s.nspname OPERATOR(pg_catalog.<>) 'information_schema'
                  AND NOT pg_catalog.starts_with(s.nspname::pg_catalog.text, 'pg_')
           OFFSET 0) n
         CROSS JOIN LATERAL (
           SELECT r.relname FROM pg_catalog.pg_class r WHERE r.oid OPERATOR(pg_catalog.=) c.oid OFFSET 0) t
         WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
               AND l.locktype OPERATOR(pg_catalog.=) 'relation'
               AND l.mode OPERATOR(pg_catalog.<>) ALL ('{AccessShareLock,RowShareLock}'::pg_catalog.text[])
               AND pg_catalog.concat(n.nspname, '.', t.relname) OPERATOR(pg_catalog.<>) ALL (
                 pg_catalog.array_append($2::pg_catalog.text[], 'pgdocket.applied'))
               AND ('*' OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.text[]) OR n.nspname OPERATOR(pg_catalog.=) 'pgdocket')
         ORDER BY n.nspname USING OPERATOR(pg_catalog.<), t.relname USING OPERATOR(pg_catalog.<)
         LIMIT 1)
