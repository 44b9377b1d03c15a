-- Where the query that reads a migration state looks. $1 schema name.
SELECT pg_catalog.set_config('search_path', pg_catalog.concat(pg_catalog.quote_ident($1::pg_catalog.text), ', pg_temp'), false)
