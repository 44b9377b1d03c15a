-- Every signature row's key and namespace, without its bytes.
SELECT key, namespace FROM signature ORDER BY statement, key;
