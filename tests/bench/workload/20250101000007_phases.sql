-- migrate:up
CREATE INDEX orders_phase_idx ON orders (phase);
CREATE INDEX visits_phase_idx ON visits (phase);

-- migrate:down
DROP INDEX visits_phase_idx;
DROP INDEX orders_phase_idx;
