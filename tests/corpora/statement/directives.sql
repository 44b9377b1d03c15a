-- pgdocket: scope=tenant transaction=off
SET lock_timeout = '2s'; SET SESSION timezone TO 'UTC';
CREATE INDEX CONCURRENTLY IF NOT EXISTS "a b" ON users (lower(email)); -- pgdocket: accept=index because
/* a /* nested */ comment */ DO $body$ BEGIN EXECUTE 'DROP TABLE users'; END $body$;
-- pgdocket: probe=SELECT true
ALTER TYPE mood ADD VALUE 'ok';
RESET ALL;
BEGIN; COMMIT;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;
COPY users FROM STDIN;
