-- The migrations' layout, out of the facts ?1 (JSON). NULL: the bundle carries no migrations.
SELECT json_extract(?1, '$.layout')
