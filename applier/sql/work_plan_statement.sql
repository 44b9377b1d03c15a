-- The plan statement's bytes.
SELECT statement FROM plan
