-- One signature: digest of the signed bytes, digest of the key blob, namespace, signed bytes, decoded SSHSIG blob.
-- A row in its place holds nothing that verifies: signature.c has looked.
INSERT OR REPLACE INTO signature (statement, key, namespace, body, signature) VALUES (?1, ?2, ?3, ?4, ?5);
