-- One schema of a new snapshot.
INSERT INTO schema (target, name, scope, listed, active, oid, history, state, shape, tables, rows, bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
