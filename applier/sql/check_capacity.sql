-- Has the server's lock table room for the run? $1 oids, $4 their classes' numbers, $2 sessions at work, $3 statements of the largest
-- segment. One schema of each class is looked at. A segment locks some 64 relations of pg_catalog and, with each statement, at most two tables (or trees of partitions) with all
-- that belongs to them, nor more than is there and 500 that are made; one that goes through a whole schema, as DROP SCHEMA does, locks up to all that is there or made. The table's
-- documented size is max_locks_per_transaction * (max_connections + max_prepared_transactions).
WITH family AS MATERIALIZED (
       SELECT p.oid AS schema, pg_catalog.sum(1 OPERATOR(pg_catalog.+) CASE WHEN c.reltoastrelid OPERATOR(pg_catalog.=) 0 THEN 0 ELSE 2 END
                OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i
                                         WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid))::pg_catalog.int8 AS locks
         FROM (SELECT pg_catalog.max(s.oid)::pg_catalog.oid AS oid
                 FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.int8[]), pg_catalog.unnest($4::pg_catalog.int8[])) AS s(oid, class)
                GROUP BY s.class) AS p
         CROSS JOIN LATERAL (SELECT d.objid FROM pg_catalog.pg_depend d
                              WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
                                AND d.refobjid OPERATOR(pg_catalog.=) p.oid
                                AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass OFFSET 0) AS d
         CROSS JOIN LATERAL (SELECT r.oid, r.reltoastrelid,
                                    (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) r.oid LIMIT 1) AS parent
                               FROM pg_catalog.pg_class r WHERE r.oid OPERATOR(pg_catalog.=) d.objid OFFSET 0) AS c
        GROUP BY p.oid, COALESCE(c.parent, c.oid)),
     one AS MATERIALIZED (
       SELECT 64 OPERATOR(pg_catalog.+) $3::pg_catalog.int8 OPERATOR(pg_catalog.+) COALESCE(pg_catalog.max(s.locks), 0)::pg_catalog.int8 AS most,
              2 OPERATOR(pg_catalog.*) $3::pg_catalog.int8 OPERATOR(pg_catalog.*) COALESCE(pg_catalog.max(s.largest), 1) OPERATOR(pg_catalog.+) 64 AS usual,
              564 OPERATOR(pg_catalog.+) COALESCE(pg_catalog.max(s.locks), 0)::pg_catalog.int8 AS likely
         FROM (SELECT pg_catalog.sum(f.locks) AS locks, pg_catalog.max(f.locks) AS largest FROM family f GROUP BY f.schema) AS s),
     figures AS MATERIALIZED (
       SELECT $2::pg_catalog.int8 OPERATOR(pg_catalog.*) LEAST(o.most, o.usual, o.likely) AS usual, $2::pg_catalog.int8 OPERATOR(pg_catalog.*) o.most AS most,
              s.slots, s.each, s.each OPERATOR(pg_catalog.*) s.slots OPERATOR(pg_catalog.-)
                (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l WHERE NOT l.fastpath) AS room
         FROM one o CROSS JOIN (SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 AS each,
                                       pg_catalog.current_setting('max_connections')::pg_catalog.int8 OPERATOR(pg_catalog.+)
                                         pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8 AS slots) AS s)
SELECT CASE WHEN f.usual OPERATOR(pg_catalog.>) f.room THEN 'unfit' WHEN f.most OPERATOR(pg_catalog.>) f.room THEN 'note' ELSE 'info' END,
       pg_catalog.concat('lock table: ', $2::pg_catalog.int8, ' segments at a time lock up to ', f.usual, ' relations, ', f.most,
                         ' if a statement goes through a whole schema; there is room for ', f.room),
       CASE WHEN f.most OPERATOR(pg_catalog.>) f.room THEN
         pg_catalog.concat('fewer at a time (-j), or max_locks_per_transaction = ', (f.most OPERATOR(pg_catalog.-) f.room)
           OPERATOR(pg_catalog./) f.slots OPERATOR(pg_catalog.+) f.each OPERATOR(pg_catalog.+) 1, ' and a restart of the server') END
  FROM figures f
