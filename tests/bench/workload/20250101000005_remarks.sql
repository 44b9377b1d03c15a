-- migrate:up
CREATE TABLE remarks (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	order_id uuid NOT NULL,
	person_id uuid NOT NULL,
	text text NOT NULL,
	closed boolean NOT NULL DEFAULT false,
	page integer,
	line integer,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX remarks_order_idx ON remarks (order_id);
CREATE INDEX remarks_person_idx ON remarks (person_id, created_at);
ALTER TABLE remarks ADD CONSTRAINT remarks_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;

-- migrate:down
DROP TABLE remarks;
