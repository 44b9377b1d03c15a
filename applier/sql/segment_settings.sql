-- Settings for the rest of the transaction. $1 names, $2 values, $3 schema name, $4 the schemas that search_path must reach.
-- Columns: current schema, oid of schema $3, session_replication_role, whether all of $4 are reached.
WITH pinned AS MATERIALIZED (
  SELECT pg_catalog.count(pg_catalog.set_config(s.name, s.value, true)) AS settings
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS s(name, value))
SELECT pg_catalog.current_schema(), (SELECT n.oid FROM pg_catalog.pg_namespace n
                                      WHERE n.nspname OPERATOR(pg_catalog.=) $3::pg_catalog.text::pg_catalog.name),
       pg_catalog.current_setting('session_replication_role'),
       pg_catalog.current_schemas(false) OPERATOR(pg_catalog.@>) $4::pg_catalog.name[]
  FROM pinned
