-- The configuration that a plan was made with takes the place of the one that the snapshot was taken with.
-- Parameters: 1 digest of the configuration object.
UPDATE target SET configuration = ?1;
