-- The class of a schema, unless the snapshot has it; classes are numbered from 0 in the order of their first schema's name.
-- ?1 target, ?2 scope, ?3 history, ?4 state, ?5 shape
INSERT INTO class (target, class, scope, history, state, shape)
SELECT ?1, (SELECT coalesce(max(class) + 1, 0) FROM class WHERE target = ?1), ?2, ?3, ?4, ?5
WHERE NOT EXISTS (SELECT 1 FROM class WHERE target = ?1 AND scope = ?2 AND history IS ?3 AND state IS ?4 AND shape IS ?5)
