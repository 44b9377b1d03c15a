-- Every signature of the bundle.
-- Columns: key (SHA-256 of the key blob), namespace, body (the signed bytes).
SELECT key, namespace, body FROM signature ORDER BY namespace DESC, statement, key;
