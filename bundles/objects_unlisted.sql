-- Every object that the plan's document must name: all that the bundle holds, but the document itself.
-- Columns: digest.
SELECT digest FROM object EXCEPT SELECT document FROM plan
ORDER BY digest;
