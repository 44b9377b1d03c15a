-- Is the ledger there, and may this role use it? Columns: schema exists, all tables exist, what is missing (text, or NULL).
-- The rights are asked for by oid, since asking by name fails where there is no such table.
WITH wanted(name, right_wanted) AS (
       VALUES ('plan', 'SELECT'), ('plan', 'INSERT'), ('applied', 'SELECT'), ('applied', 'INSERT'),
              ('finished', 'SELECT'), ('finished', 'INSERT'), ('intent', 'SELECT'), ('intent', 'INSERT')),
     ledger AS (
       SELECT w.name, w.right_wanted, c.oid AS relation
         FROM wanted w
         LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                    ON n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'pgdocket')
                ON c.relname OPERATOR(pg_catalog.=) w.name::pg_catalog.name AND c.relkind OPERATOR(pg_catalog.=) 'r')
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'pgdocket'),
       (SELECT pg_catalog.count(relation) OPERATOR(pg_catalog.=) pg_catalog.count(*) FROM ledger),
       (SELECT pg_catalog.string_agg(m.what, ', ')
          FROM (SELECT pg_catalog.concat(l.right_wanted, ' on pgdocket.', l.name) AS what
                  FROM ledger l
                 WHERE l.relation IS NOT NULL
                   AND NOT pg_catalog.has_table_privilege(l.relation, l.right_wanted)
                UNION ALL
                SELECT 'UPDATE (status, done) on pgdocket.plan'
                  FROM ledger l
                 WHERE l.name OPERATOR(pg_catalog.=) 'plan' AND l.right_wanted OPERATOR(pg_catalog.=) 'SELECT'
                   AND l.relation IS NOT NULL
                   AND NOT (pg_catalog.has_column_privilege(l.relation, 'status', 'UPDATE')
                        AND pg_catalog.has_column_privilege(l.relation, 'done', 'UPDATE'))
                UNION ALL
                SELECT 'USAGE on schema pgdocket'
                  FROM pg_catalog.pg_namespace n
                 WHERE n.nspname OPERATOR(pg_catalog.=) 'pgdocket'
                   AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')) m)
