-- Names of all objects of the bundle, for the plan document's list.
-- Columns: digest.
SELECT digest FROM object ORDER BY digest;
