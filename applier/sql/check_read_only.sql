-- A check changes nothing, whatever a query of the plan may call.
SELECT pg_catalog.set_config('default_transaction_read_only', 'on', false)
