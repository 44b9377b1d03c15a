-- What a new session must know of its server before it changes anything there (a pooler shows by the process id).
-- Columns: backend process id, server encoding, identity: both of the session's roles.
SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_encoding'),
       pg_catalog.concat_ws('/', pg_catalog.quote_ident(CURRENT_USER), pg_catalog.quote_ident(SESSION_USER))
