-- migrate:up
ALTER TABLE customers ADD COLUMN rank integer NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN consent varchar(20) NOT NULL DEFAULT 'none';

-- migrate:down
ALTER TABLE orders DROP COLUMN consent;
ALTER TABLE customers DROP COLUMN rank;
