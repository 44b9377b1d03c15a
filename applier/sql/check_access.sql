-- What the role may do in schemas. $1 names, $2 oids of the snapshot; 0: is to be made. Rows: only where something is wrong.
-- Columns: name, what is wrong.
SELECT s.name, CASE WHEN s.oid OPERATOR(pg_catalog.=) 0 THEN 'it is to be made, and exists already'
                    WHEN n.oid IS NULL THEN 'it is gone'
                    WHEN n.oid OPERATOR(pg_catalog.<>) s.oid THEN 'it was dropped and made again since the snapshot'
                    WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE on it is missing'
                    ELSE 'CREATE on it is missing' END
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[])) AS s(name, oid)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) s.name::pg_catalog.name
 WHERE CASE WHEN s.oid OPERATOR(pg_catalog.=) 0 THEN n.oid IS NOT NULL
            ELSE n.oid IS NULL OR n.oid::pg_catalog.int8 OPERATOR(pg_catalog.<>) s.oid
              OR NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              OR NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') END
