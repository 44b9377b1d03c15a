-- Whether a signature over these bytes (digest ?1) by this key (digest ?2) is there.
SELECT 1 FROM signature WHERE statement = ?1 AND key = ?2;
