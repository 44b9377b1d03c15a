-- The oracle's look at the server: oracle.bash puts the plan's effects and the tables' contents in front of this, as
-- effect(schema, segment, kind, name, value) and content(schema, name, value, n). Every row is one violation.
), done AS (
  SELECT n.nspname AS schema, f.segment FROM pgdocket.finished f JOIN pg_namespace n ON n.oid = f.schema_oid
), begun AS (
  SELECT n.nspname AS schema, i.segment FROM pgdocket.intent i JOIN pg_namespace n ON n.oid = i.schema_oid
), seen AS (
  SELECT e.*, d.segment IS NOT NULL AS done, b.segment IS NOT NULL AS begun,
         CASE e.kind
           WHEN 'row' THEN (SELECT COALESCE(sum(c.n), 0) FROM content c
                             WHERE c.schema = e.schema AND c.name = e.name AND c.value = e.value)
           WHEN 'version' THEN (SELECT count(*) FROM content c
                                 WHERE c.schema = e.schema AND c.name = e.name AND c.value::int >= e.value::int)
           WHEN 'constraint' THEN (SELECT count(*) FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
                                    WHERE n.nspname = e.schema AND k.conname = e.name)
           ELSE (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = e.schema AND c.relname = e.name)
         END AS n
    FROM effect e LEFT JOIN done d USING (schema, segment) LEFT JOIN begun b USING (schema, segment)
)
SELECT format('I1 %s segment %s: %s %s %s is there %s times', schema, segment, kind, name, value, n) FROM seen WHERE n > 1
UNION ALL
SELECT format('I1 %s.%s holds %s, which no segment makes', c.schema, c.name, c.value)
  FROM content c WHERE c.name <> 'schema_migrations' AND NOT EXISTS (SELECT FROM effect e
   WHERE e.kind = 'row' AND (e.schema, e.name, e.value) = (c.schema, c.name, c.value))
UNION ALL
SELECT format('I1 %s: %s rows of history', schema, sum(n)) FROM content WHERE name = 'schema_migrations' GROUP BY schema HAVING sum(n) <> 1
UNION ALL
SELECT format('I2 %s segment %s: %s %s %s is there, the ledger says not finished', schema, segment, kind, name, value)
  FROM seen WHERE n > 0 AND NOT done AND NOT (kind = 'native' AND begun)
UNION ALL
SELECT format('I2 %s segment %s: %s %s %s is not there, the ledger says finished', schema, segment, kind, name, value)
  FROM seen WHERE n = 0 AND done
UNION ALL
SELECT format('I3 %s segment %s: applied, not finished', schema_name, segment)
  FROM pgdocket.applied a WHERE NOT EXISTS (SELECT FROM pgdocket.finished f
   WHERE (f.plan_sha256, f.schema_oid, f.segment) = (a.plan_sha256, a.schema_oid, a.segment))
UNION ALL
SELECT format('I3 %s segment %s: finished, not applied', schema_oid, segment)
  FROM pgdocket.finished f WHERE NOT EXISTS (SELECT FROM pgdocket.applied a
   WHERE (f.plan_sha256, f.schema_oid, f.segment) = (a.plan_sha256, a.schema_oid, a.segment))
UNION ALL
SELECT format('I4 invalid index %s.%s', n.nspname, c.relname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND NOT EXISTS (SELECT FROM seen s WHERE s.kind = 'native' AND s.begun AND NOT s.done AND s.schema = n.nspname);

SELECT 'ledger|' || concat_ws('|', schema_oid, segment, xid, run_id) FROM pgdocket.applied ORDER BY 1;

-- Everything in the schemas, as text in a fixed order.
SELECT 'shape|' || concat_ws('|', n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relacl::text,
         (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
         (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = c.oid),
         CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' OR n.nspname ~ '^tenant_'
 ORDER BY n.nspname, c.relname;

-- What is left of us: sessions, advisory locks, prepared transactions.
SELECT concat_ws('|', 'left', (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                                  AND application_name ~ '^pgdocket' AND pid <> pg_backend_pid()),
                 (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_prepared_xacts));
