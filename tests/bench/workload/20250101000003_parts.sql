-- migrate:up
CREATE TABLE parts (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	order_id uuid NOT NULL,
	code varchar(40) NOT NULL,
	text varchar(160),
	amount integer NOT NULL DEFAULT 1,
	price numeric(12,2) NOT NULL DEFAULT 0,
	returned bigint NOT NULL DEFAULT 0,
	billed boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT parts_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
	CONSTRAINT parts_amount CHECK (amount BETWEEN 0 AND 10000)
);
CREATE INDEX parts_order_idx ON parts (order_id);
CREATE TABLE invoices (
	id bigserial PRIMARY KEY,
	order_id uuid,
	title varchar(100) NOT NULL,
	terms varchar(30) NOT NULL DEFAULT 'net 30',
	lines jsonb NOT NULL DEFAULT '[]',
	net numeric(14,2),
	currency char(3) NOT NULL DEFAULT 'EUR',
	reminders smallint NOT NULL DEFAULT 0,
	paid_on date,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT invoices_order_fk FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE SET NULL
);
CREATE INDEX invoices_order_idx ON invoices (order_id);
CREATE INDEX invoices_lines_idx ON invoices USING gin (lines);

-- migrate:down
DROP TABLE invoices;
DROP TABLE parts;
