-- The one target of a new snapshot.
INSERT INTO target (target, label, system_identifier, database_oid, database, server_version, taken, shared_schema,
	configuration, facts)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
