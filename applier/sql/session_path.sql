-- The first setting of a new session: behind it, no name can be captured.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)
