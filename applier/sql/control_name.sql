-- The control connection carries its run's name from here on, and is never closed for being idle. $1 application_name.
-- idle_session_timeout is there from 14 on.
SELECT pg_catalog.count(pg_catalog.set_config(s.name, s.value, false))
  FROM (VALUES ('application_name', $1::pg_catalog.text, 0), ('idle_session_timeout', '0', 140000),
               ('statement_timeout', '0', 0), ('lock_timeout', '0', 0)) AS s(name, value, since)
 WHERE s.since OPERATOR(pg_catalog.<=) pg_catalog.current_setting('server_version_num')::pg_catalog.int4
