-- The guards' session: catalog queries must not depend on statistics, and their plan is made once.
SELECT pg_catalog.count(pg_catalog.set_config(s.name, s.value, false))
  FROM (VALUES ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),
               ('plan_cache_mode', 'force_generic_plan'), ('lock_timeout', '10s'), ('statement_timeout', '120s'))
       AS s(name, value)
