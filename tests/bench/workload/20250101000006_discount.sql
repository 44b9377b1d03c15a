-- migrate:up
ALTER TABLE customers ADD CONSTRAINT customers_discount CHECK (discount >= 0) NOT VALID;
ALTER TABLE customers VALIDATE CONSTRAINT customers_discount;

-- migrate:down
ALTER TABLE customers DROP CONSTRAINT customers_discount;
