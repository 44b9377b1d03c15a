-- The plan of a bundle.
-- Parameters: 1 statement's bytes, 2 digest of the document.
INSERT INTO plan (plan, statement, document) VALUES (1, ?1, ?2);
