-- The plan statement as it was signed. A bundle holds one plan; a second row is an error of the reader's.
SELECT statement FROM plan ORDER BY plan;
