-- What is about to be done outside of a transaction. $1 plan digest, $2 schema name, $3 segment, $4 run, $5 the object that it is about.
-- Columns: whether no attempt of it was recorded before, schema oid. No row: there is no such schema.
WITH named AS MATERIALIZED (
  SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) $2::pg_catalog.text::pg_catalog.name
), made AS (
  INSERT INTO pgdocket.intent (plan_sha256, schema_oid, segment, run_id, object)
  SELECT $1::pg_catalog.bytea, named.oid, $3::pg_catalog.int4, $4::pg_catalog.text, $5::pg_catalog.text FROM named
  ON CONFLICT ON CONSTRAINT intent_key DO NOTHING
  RETURNING schema_oid)
SELECT EXISTS (SELECT FROM made), named.oid FROM named
