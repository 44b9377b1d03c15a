-- migrate:up
ALTER TABLE customers ALTER COLUMN name TYPE varchar(240);
ALTER TABLE invoices ALTER COLUMN title TYPE varchar(200);

-- migrate:down
ALTER TABLE invoices ALTER COLUMN title TYPE varchar(100);
ALTER TABLE customers ALTER COLUMN name TYPE varchar(120);
