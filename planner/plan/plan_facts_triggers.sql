-- Enabled event triggers of the database.
-- Parameters: 1 the facts object's text. Columns: name, event.
SELECT value ->> '$.name', value ->> '$.event' FROM json_each(?1, '$.server.event_triggers')
WHERE value ->> '$.enabled' ORDER BY key;
