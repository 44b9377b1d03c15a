-- Pin the reading transaction: $1 statement_timeout. Settings last until its end.
SELECT pg_catalog.set_config(pin.name, pin.value, true)
FROM (VALUES ('statement_timeout', $1::pg_catalog.text), ('lock_timeout', '2s'), ('idle_in_transaction_session_timeout', '0'),
	('plan_cache_mode', 'force_generic_plan')) AS pin (name, value)
UNION ALL
SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 170000
	THEN pg_catalog.set_config('transaction_timeout', '0', true) END
