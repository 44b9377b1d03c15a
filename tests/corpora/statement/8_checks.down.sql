ALTER TABLE templates ALTER COLUMN title TYPE varchar(120);
DROP INDEX storyboards_creative_idx;
ALTER TABLE campaigns DROP CONSTRAINT campaigns_budget;
