-- Who and what the server is: one row of system identifier, database, its oid, our role, and the rest as JSON.
SELECT (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c)::pg_catalog.text,
	pg_catalog.current_database(),
	(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
	CURRENT_USER,
	pg_catalog.json_build_object(
		'version', pg_catalog.current_setting('server_version'),
		'timeline', (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() AS c),
		'standby', pg_catalog.pg_is_in_recovery(),
		'role', CURRENT_USER,
		'superuser', (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER),
		'settings', (
			SELECT pg_catalog.json_object_agg(s.name, s.reset_val ORDER BY s.name)
			FROM pg_catalog.pg_settings AS s
			WHERE s.name OPERATOR(pg_catalog.=) ANY ('{DateStyle,IntervalStyle,TimeZone,autovacuum,deadlock_timeout,
				default_tablespace,default_transaction_isolation,event_triggers,lc_collate,lc_ctype,lock_timeout,
				max_connections,max_locks_per_transaction,max_prepared_transactions,row_security,server_encoding,
				session_replication_role,shared_preload_libraries,statement_timeout,synchronous_commit,
				synchronous_standby_names,wal_level}'::pg_catalog.text[])),
		'extensions', (
			SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', e.extname, 'version', e.extversion,
				'schema', n.nspname) ORDER BY e.extname), '[]')
			FROM pg_catalog.pg_extension AS e
			JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace),
		'event_triggers', (
			SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', t.evtname, 'event', t.evtevent,
				'enabled', t.evtenabled OPERATOR(pg_catalog.<>) 'D') ORDER BY t.evtname), '[]')
			FROM pg_catalog.pg_event_trigger AS t))
