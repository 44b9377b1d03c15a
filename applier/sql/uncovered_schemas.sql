-- All schemas' names, for tenants that are told by a pattern.
SELECT n.nspname FROM pg_catalog.pg_namespace n
