-- The path under which the prepared statements were planned, for the rest of the transaction: under another they are planned anew.
SET LOCAL search_path = pg_catalog, pg_temp
