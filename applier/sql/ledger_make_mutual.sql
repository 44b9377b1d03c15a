-- applied needs its row in finished at COMMIT, as finished needs its row in applied at once: nothing commits one alone.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                  WHERE conname OPERATOR(pg_catalog.=) 'applied_is_finished'
                    AND conrelid OPERATOR(pg_catalog.=) 'pgdocket.applied'::pg_catalog.regclass) THEN
    ALTER TABLE pgdocket.applied ADD CONSTRAINT applied_is_finished
      FOREIGN KEY (plan_sha256, schema_oid, segment) REFERENCES pgdocket.finished DEFERRABLE INITIALLY DEFERRED;
  END IF;
END $$
