-- The snapshot's rows as text, one line each, in key order: SHA-256 over these lines, each ended by LF, is the snapshot digest.
-- Integers in decimal, text and bytes as X'hex' (upper case) of their bytes, NULL as NULL. FORMAT.md, "Snapshot digest".
-- Columns: line. Can be pasted into sqlite3.
SELECT line FROM (
	SELECT 1 AS part, target AS target, 0 AS class, x'' AS name,
		'target ' || target || ',' || quote(CAST(label AS BLOB)) || ',' || quote(CAST(system_identifier AS BLOB)) || ',' ||
		database_oid || ',' || quote(CAST(database AS BLOB)) || ',' || server_version || ',' || taken || ',' ||
		quote(CAST(shared_schema AS BLOB)) || ',' || quote(configuration) || ',' || quote(facts) AS line
	FROM target
	UNION ALL
	SELECT 2, target, class, x'',
		'class ' || target || ',' || class || ',' || quote(CAST(scope AS BLOB)) || ',' || quote(CAST(history AS BLOB)) || ',' ||
		quote(state) || ',' || quote(shape)
	FROM class
	UNION ALL
	SELECT 3, target, 0, CAST(name AS BLOB),
		'schema ' || target || ',' || quote(CAST(name AS BLOB)) || ',' || class || ',' || listed || ',' || active || ',' ||
		quote(oid) || ',' || tables || ',' || rows || ',' || bytes
	FROM schema)
ORDER BY part, target, class, name;
