-- The shared schema of the benches: what every tenant's schema stands beside.
CREATE TABLE public.tenants (
	id bigserial PRIMARY KEY,
	schema_name varchar(63) NOT NULL UNIQUE,
	title varchar(100) NOT NULL,
	active boolean NOT NULL DEFAULT true
);
CREATE TABLE public.people (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	email varchar(200) NOT NULL UNIQUE,
	display_name varchar(100),
	joined_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.skills (
	id serial PRIMARY KEY,
	name varchar(50) NOT NULL UNIQUE,
	options jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE public.memberships (
	person_id uuid NOT NULL REFERENCES public.people (id) ON DELETE CASCADE,
	tenant_id bigint NOT NULL REFERENCES public.tenants (id) ON DELETE CASCADE,
	skill_id integer REFERENCES public.skills (id),
	PRIMARY KEY (person_id, tenant_id)
);
CREATE INDEX memberships_tenant_idx ON public.memberships (tenant_id);
