-- One signature: digest of the signed bytes, digest of the key blob, namespace, signed bytes, decoded SSHSIG blob.
INSERT INTO signature (statement, key, namespace, body, signature) VALUES (?1, ?2, ?3, ?4, ?5);
