-- A segment's last row. $1 plan digest, $2 schema oid, $3 segment, $4 state after, $5 shape after, $6 audit head.
INSERT INTO pgdocket.finished (plan_sha256, schema_oid, segment, state_after, shape_after, audit_head)
VALUES ($1::pg_catalog.bytea, $2::pg_catalog.oid, $3::pg_catalog.int4, $4::pg_catalog.bytea, $5::pg_catalog.bytea, $6::pg_catalog.bytea)
