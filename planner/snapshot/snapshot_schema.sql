-- One schema of a new snapshot; snapshot_class has made its class.
-- ?1 target, ?2 scope, ?3 history, ?4 state, ?5 shape, ?6 name, ?7 listed, ?8 active, ?9 oid, ?10 tables, ?11 rows, ?12 bytes
INSERT INTO schema (target, name, class, listed, active, oid, tables, rows, bytes)
SELECT ?1, ?6, class, ?7, ?8, ?9, ?10, ?11, ?12
FROM class WHERE target = ?1 AND scope = ?2 AND history IS ?3 AND state IS ?4 AND shape IS ?5
