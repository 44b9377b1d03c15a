-- What the bundle was snapshotted from, and with which configuration.
-- Columns: label, configuration (object).
SELECT label, configuration FROM target ORDER BY target;
