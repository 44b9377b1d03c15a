-- What a new session must know of its server before it changes anything there (a pooler shows by the process id).
-- Columns: backend process id, server encoding.
SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_encoding')
