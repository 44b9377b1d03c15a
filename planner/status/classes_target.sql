-- The snapshot's target: label, system identifier, database, shared schema, database oid, taken, server version,
-- configuration (digest), facts (digest).
SELECT label, system_identifier, database, shared_schema, database_oid, taken, server_version, configuration, facts
FROM target ORDER BY target
