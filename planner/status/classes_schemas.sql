-- All schemas of the first target, by name, bytewise.
SELECT name, scope, listed, active, oid, history, state, shape, tables, rows, bytes
FROM schema WHERE target = (SELECT min(target) FROM target) ORDER BY name
