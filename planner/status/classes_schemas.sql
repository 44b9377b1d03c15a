-- All schemas of the first target, by name, bytewise. A schema of no class has NULL for a scope, which its reader refuses.
SELECT s.name, c.scope, s.listed, s.active, s.oid, c.history, c.state, c.shape, s.tables, s.rows, s.bytes
FROM schema AS s LEFT JOIN class AS c ON c.target = s.target AND c.class = s.class
WHERE s.target = (SELECT min(target) FROM target) ORDER BY s.name
