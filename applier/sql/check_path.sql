-- Where the query that reads a migration state looks. $1 search_path.
SELECT pg_catalog.set_config('search_path', $1::pg_catalog.text, false)
