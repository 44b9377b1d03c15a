CREATE TABLE invitations (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
	email varchar(200) NOT NULL,
	token varchar(64) NOT NULL UNIQUE
);
CREATE INDEX users_display_idx ON users (display_name);
COMMENT ON TABLE users IS 'People who can sign in';
