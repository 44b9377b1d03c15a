-- migrate:up
CREATE TABLE customers (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	number varchar(20) NOT NULL,
	name varchar(120) NOT NULL,
	street text,
	city varchar(80),
	country char(2) NOT NULL DEFAULT 'IE',
	phone varchar(40),
	discount numeric(5,2) NOT NULL DEFAULT 0,
	since date NOT NULL DEFAULT CURRENT_DATE,
	until date,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT customers_number_key UNIQUE (number),
	CONSTRAINT customers_dates CHECK (until IS NULL OR until >= since)
);
CREATE INDEX customers_city_idx ON customers (city);
CREATE INDEX customers_created_idx ON customers (created_at DESC);
CREATE TABLE machines (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	label varchar(80) NOT NULL,
	maker varchar(80) NOT NULL,
	manual text NOT NULL DEFAULT '',
	facts jsonb NOT NULL DEFAULT '{}',
	power_watts integer,
	weight_kg integer,
	rented boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
DROP TABLE machines;
DROP TABLE customers;
