-- What others could have put in the plan's way in the schemas of its search_path: functions, operators and casts of strangers (neither
-- superuser, nor owner of the database or of the schema, nor the applier's role) with the name of one that stands behind them, as
-- pg_catalog's do for other types of arguments (CVE-2018-1058); and schemas that anyone may write to.
-- $1 oids of the plan's schemas, $2 the search_path's schemas.
WITH path AS (
       SELECT n.oid, n.nspname, n.nspowner FROM pg_catalog.pg_namespace n
         LEFT JOIN pg_catalog.unnest($1::pg_catalog.int8[]) AS p(oid) ON p.oid OPERATOR(pg_catalog.=) n.oid::pg_catalog.int8
        WHERE p.oid IS NOT NULL OR n.nspname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.name[])),
     behind AS (
       SELECT n.oid FROM pg_catalog.pg_namespace n
        WHERE n.nspname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.name[]) OR n.nspname OPERATOR(pg_catalog.=) 'pg_catalog'),
     stranger AS (
       SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r
         JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
        WHERE NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND r.oid OPERATOR(pg_catalog.<>) d.datdba),
     strange AS NOT MATERIALIZED (
       SELECT f.oid, f.proname AS name, f.pronamespace AS schema, 'function' AS kind, f.proowner AS owner FROM pg_catalog.pg_proc f
       UNION ALL
       SELECT o.oid, o.oprname, o.oprnamespace, 'operator', o.oprowner FROM pg_catalog.pg_operator o),
     planted AS (
       SELECT o.*, s.rolname FROM stranger s JOIN strange o ON o.owner OPERATOR(pg_catalog.=) s.oid
         JOIN path p ON p.oid OPERATOR(pg_catalog.=) o.schema AND p.nspowner OPERATOR(pg_catalog.<>) s.oid)
SELECT 'search-path', pg_catalog.concat(f.what, ', owned by role ', f.rolname, ', can be called in place of another one'),
       'see what it does; drop it, or let a role own it that may decide what the plan''s statements call'
  FROM (SELECT CASE WHEN p.kind OPERATOR(pg_catalog.=) 'function' THEN pg_catalog.concat('function ', p.oid::pg_catalog.regprocedure)
                    ELSE pg_catalog.concat('operator ', p.oid::pg_catalog.regoperator) END AS what, p.rolname
          FROM planted p
         WHERE EXISTS (SELECT FROM strange b JOIN behind n ON n.oid OPERATOR(pg_catalog.=) b.schema
                        WHERE b.name OPERATOR(pg_catalog.=) p.name AND b.kind OPERATOR(pg_catalog.=) p.kind
                              AND b.schema OPERATOR(pg_catalog.<>) p.schema)
        UNION ALL
        SELECT pg_catalog.concat('cast from ', pg_catalog.format_type(c.castsource, NULL), ' to ', pg_catalog.format_type(c.casttarget, NULL),
                 ' by ', p.oid::pg_catalog.regprocedure), p.rolname
          FROM planted p JOIN pg_catalog.pg_cast c ON c.castfunc OPERATOR(pg_catalog.=) p.oid AND c.castcontext OPERATOR(pg_catalog.<>) 'e'
         WHERE p.kind OPERATOR(pg_catalog.=) 'function') AS f
UNION ALL
SELECT 'search-path', pg_catalog.concat('anyone may create objects in schema ',
                        pg_catalog.array_to_string((pg_catalog.array_agg(p.nspname))[:10], ', '),
                        CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 10 THEN pg_catalog.concat(' ... ', pg_catalog.count(*), ' in all') END),
       pg_catalog.concat('REVOKE CREATE ON SCHEMA ', pg_catalog.string_agg(pg_catalog.quote_ident(p.nspname), ', '), ' FROM PUBLIC;')
  FROM path p WHERE pg_catalog.has_schema_privilege('public', p.oid, 'CREATE') HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
