-- Signature rows of one namespace (?1), in key order; body is what was signed.
SELECT statement, key, body, signature FROM signature WHERE namespace = ?1 ORDER BY statement, key;
