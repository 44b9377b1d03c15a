-- Is the ledger there, and may this role use it? The rights are asked for by oid: by name it fails where there is no such table.
WITH ledger AS (
       SELECT w.name, c.oid AS relation
         FROM (VALUES ('plan'), ('applied'), ('finished'), ('intent')) AS w(name)
         LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                    ON n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'pgdocket')
                ON c.relname OPERATOR(pg_catalog.=) w.name::pg_catalog.name AND c.relkind OPERATOR(pg_catalog.=) 'r'),
     missing(what) AS (
       SELECT pg_catalog.concat(r.name, ' on pgdocket.', l.name)
         FROM ledger l CROSS JOIN (VALUES ('SELECT'), ('INSERT')) AS r(name)
        WHERE NOT pg_catalog.has_table_privilege(l.relation, r.name)
       UNION ALL
       SELECT 'UPDATE (status, done) on pgdocket.plan' FROM ledger l
        WHERE l.name OPERATOR(pg_catalog.=) 'plan' AND NOT (pg_catalog.has_column_privilege(l.relation, 'status', 'UPDATE')
                                                       AND pg_catalog.has_column_privilege(l.relation, 'done', 'UPDATE'))
       UNION ALL
       SELECT 'USAGE on schema pgdocket' FROM pg_catalog.pg_namespace n
        WHERE n.nspname OPERATOR(pg_catalog.=) 'pgdocket' AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
SELECT 'unfit', pg_catalog.concat('the database has no ledger: missing is ', pg_catalog.string_agg(pg_catalog.concat('pgdocket.', l.name), ', ')),
       'as a role that may create schemas: pgdocket-apply bootstrap -d ... --role THE_APPLIERS_ROLE; --print shows the SQL'
  FROM ledger l WHERE l.relation IS NULL HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
UNION ALL
SELECT 'unfit', pg_catalog.concat('privileges on the ledger are missing: ', pg_catalog.string_agg(m.what, ', ')),
       'pgdocket-apply bootstrap -d ... --role THE_APPLIERS_ROLE grants them; --print shows the SQL'
  FROM missing m HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
