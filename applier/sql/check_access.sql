-- Privileges that are missing, each with one GRANT for all; schemas that are not those of the snapshot.
-- $1 names, $2 oids of the plan's schemas (0: to be made), $3 the search_path's schemas, $4 names of history tables.
WITH planned AS (
       SELECT s.name, s.oid AS planned, n.oid
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[])) AS s(name, oid)
         LEFT JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) s.name::pg_catalog.name),
     needed(kind, object, name, held) AS (
       SELECT 'schema', pg_catalog.quote_ident(p.name), r.name, pg_catalog.has_schema_privilege(p.oid, r.name)
         FROM planned p CROSS JOIN (VALUES ('USAGE'), ('CREATE')) AS r(name)
       UNION
       SELECT 'schema', pg_catalog.quote_ident(n.nspname), 'USAGE', pg_catalog.has_schema_privilege(n.oid, 'USAGE')
         FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.name[])
       UNION ALL
       SELECT 'table', pg_catalog.concat(pg_catalog.quote_ident(p.name), '.', pg_catalog.quote_ident(c.relname)),
              r.name, pg_catalog.has_table_privilege(c.oid, r.name)
         FROM planned p CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('DELETE')) AS r(name)
         JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) p.oid AND c.relkind OPERATOR(pg_catalog.=) 'r'
                                   AND c.relname OPERATOR(pg_catalog.=) ANY ($4::pg_catalog.name[])
       UNION ALL
       SELECT 'database', pg_catalog.quote_ident(d.datname), 'CREATE', pg_catalog.has_database_privilege(d.oid, 'CREATE')
         FROM pg_catalog.pg_database d
        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND 0 OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.int8[])),
     missing AS (
       SELECT n.kind, n.object, pg_catalog.string_agg(n.name, ', ' ORDER BY n.name DESC) AS rights FROM needed n WHERE NOT n.held GROUP BY n.kind, n.object)
SELECT 'unfit', pg_catalog.concat('privileges are missing: ', m.rights, ' on ', m.kind, ' ',
                  pg_catalog.array_to_string((pg_catalog.array_agg(m.object ORDER BY m.object))[:10], ', '),
                  CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 10 THEN pg_catalog.concat(' ... ', pg_catalog.count(*), ' in all') END),
       pg_catalog.concat('GRANT ', m.rights, ' ON ', pg_catalog.upper(m.kind), ' ', pg_catalog.string_agg(m.object, ', ' ORDER BY m.object),
                         ' TO ', pg_catalog.quote_ident(CURRENT_USER), ';')
  FROM missing m GROUP BY m.kind, m.rights
UNION ALL
SELECT 'drift', pg_catalog.concat('schema ', p.name, CASE WHEN p.planned OPERATOR(pg_catalog.=) 0 THEN ': it is to be made, and exists already'
                                                          WHEN p.oid IS NULL THEN ': it is gone'
                                                          ELSE ': it was dropped and made again since the snapshot' END), NULL
  FROM planned p WHERE COALESCE(p.oid::pg_catalog.int8, 0) OPERATOR(pg_catalog.<>) p.planned
