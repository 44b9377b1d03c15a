-- What a segment's statements must leave as it was: the session's path and roles. Column: a digest.
SELECT pg_catalog.md5(pg_catalog.concat_ws('/', pg_catalog.quote_ident(CURRENT_USER), pg_catalog.quote_ident(SESSION_USER),
         pg_catalog.current_setting('session_replication_role'), pg_catalog.current_setting('search_path')))
