-- The run lock: one run per database at a time. Its key spells "pgdocket".
SELECT pg_catalog.pg_try_advisory_lock(8099552884421256564)
