-- The signature row over these bytes (digest ?1) by this key (digest ?2).
SELECT namespace, body, signature FROM signature WHERE statement = ?1 AND key = ?2;
