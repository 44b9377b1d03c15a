CREATE TABLE creatives (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	campaign_id uuid NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
	template_id uuid REFERENCES templates (id) ON DELETE SET NULL,
	title varchar(150) NOT NULL,
	width integer,
	height integer
);
CREATE INDEX creatives_campaign_idx ON creatives (campaign_id);
CREATE TABLE storyboards (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	creative_id uuid NOT NULL REFERENCES creatives (id) ON DELETE CASCADE,
	scenes jsonb NOT NULL DEFAULT '[]'
);
CREATE FUNCTION creative_area(width integer, height integer) RETURNS bigint
	LANGUAGE sql IMMUTABLE AS $$ SELECT width::bigint * height $$;
CREATE VIEW large_creatives AS
	SELECT id, title FROM creatives WHERE creative_area(width, height) > 1000000;
