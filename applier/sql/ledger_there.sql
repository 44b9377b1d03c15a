-- Is there a whole ledger? Column: a boolean.
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 4
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE n.nspname OPERATOR(pg_catalog.=) 'pgdocket' AND c.relname OPERATOR(pg_catalog.=) ANY ('{plan,applied,finished,intent}'::pg_catalog.name[])
