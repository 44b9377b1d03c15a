-- Settings. $1 names, $2 values, $3 the schemas that search_path must reach, the first one first, $4 whether for the transaction only.
-- Column: whether they are reached, and no replication role takes the ledger's triggers away.
WITH pinned AS MATERIALIZED (
  SELECT pg_catalog.count(pg_catalog.set_config(s.name, s.value, $4::pg_catalog.bool)) AS settings
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS s(name, value))
SELECT pg_catalog.current_schemas(false) OPERATOR(pg_catalog.@>) $3::pg_catalog.name[]
       AND COALESCE(pg_catalog.current_schema() OPERATOR(pg_catalog.=) ($3::pg_catalog.name[])[1], false)
       AND pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'origin'
  FROM pinned
