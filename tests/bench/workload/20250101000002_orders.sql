-- migrate:up
CREATE TABLE orders (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	customer_id uuid NOT NULL,
	machine_id uuid,
	subject varchar(160) NOT NULL,
	phase varchar(20) NOT NULL DEFAULT 'asked',
	urgency varchar(10) NOT NULL DEFAULT 'normal',
	hours integer,
	total numeric(12,2) NOT NULL DEFAULT 0,
	tags jsonb NOT NULL DEFAULT '[]',
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
	CONSTRAINT orders_machine_fk FOREIGN KEY (machine_id) REFERENCES machines (id) ON DELETE SET NULL
);
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE TABLE visits (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	order_id uuid NOT NULL,
	place varchar(160) NOT NULL,
	phase varchar(20) NOT NULL DEFAULT 'planned',
	minutes integer NOT NULL DEFAULT 0,
	route jsonb NOT NULL DEFAULT '[]',
	photo text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT visits_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
);
CREATE INDEX visits_order_idx ON visits (order_id);

-- migrate:down
DROP TABLE visits;
DROP TABLE orders;
