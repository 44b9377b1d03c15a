# The server's side of shapes: what counts, what does not, and that a schema's own name leaves no trace.
load server

setup_file() {
	pg_start
	pg_new_database shapes
	{
		echo 'SET search_path = pg_catalog, pg_temp;'
		echo 'CREATE FUNCTION public.shape(name, text[] DEFAULT ARRAY[]::text[]) RETURNS TABLE (fingerprint text, text text) LANGUAGE plpgsql'
		echo 'SET search_path = pg_catalog, pg_temp AS $f$ BEGIN RETURN QUERY EXECUTE $q$ SELECT s.fingerprint, s.text FROM ('
		cat "$ROOT/planner/shape/shape.sql"
		echo ') AS s $q$ USING ARRAY(SELECT oid FROM pg_namespace WHERE nspname = $1), $2; END $f$;'
	} | psql -Xq -v ON_ERROR_STOP=1
}
teardown_file() { pg_stop; }

# A schema with something of every kind, under any name.
everything() {
	local s
	s=$(ident "$1")
	psql -Xq -v ON_ERROR_STOP=1 <<-SQL
		SET client_min_messages = warning;
		CREATE SCHEMA $s;
		SET search_path = $s, public;
		CREATE TYPE mood AS ENUM ('sad', 'ok');
		CREATE TABLE a (id bigserial PRIMARY KEY, m mood NOT NULL DEFAULT 'ok', t text COLLATE "C", n numeric(8,2) DEFAULT 1,
			k integer GENERATED ALWAYS AS IDENTITY, g text GENERATED ALWAYS AS (lower(t)) STORED, u text UNIQUE,
			CONSTRAINT positive CHECK (n > 0));
		CREATE TABLE b (id integer PRIMARY KEY, a_id bigint REFERENCES a (id) ON DELETE CASCADE, r int4range,
			EXCLUDE USING gist (r WITH &&));
		CREATE TABLE p (d date NOT NULL, x integer) PARTITION BY RANGE (d);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
		CREATE TABLE child (extra text) INHERITS (a);
		CREATE UNLOGGED TABLE ul (i integer);
		CREATE INDEX plain ON a (t, n DESC);
		CREATE INDEX partial ON a (n) WHERE n > 5;
		CREATE INDEX expr ON a (lower(t));
		CREATE UNIQUE INDEX uniq ON a (n, t);
		CREATE INDEX gin ON a USING gin (to_tsvector('simple', t));
		CREATE SEQUENCE lone INCREMENT 5 MAXVALUE 1000 CYCLE;
		CREATE VIEW v AS SELECT id, m FROM a WHERE m = 'ok';
		CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS c FROM a;
		CREATE INDEX mvi ON mv (c);
		CREATE FUNCTION f(x integer, y mood) RETURNS integer LANGUAGE sql AS 'SELECT x + (SELECT count(*)::int FROM a)';
		CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
		CREATE FUNCTION fixed() RETURNS integer LANGUAGE sql SET search_path = $s, public AS 'SELECT 1';
		CREATE PROCEDURE proc() LANGUAGE sql AS 'DELETE FROM a';
		CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
		CREATE DOMAIN dom AS integer CHECK (VALUE > 0);
		CREATE TYPE comp AS (x integer);
		CREATE AGGREGATE agg (integer) (SFUNC = int4pl, STYPE = integer);
		CREATE STATISTICS st (ndistinct) ON t, n FROM a;
		CREATE POLICY pol ON b USING (true);
		ALTER TABLE b ENABLE ROW LEVEL SECURITY;
		CREATE RULE ru AS ON INSERT TO ul DO INSTEAD NOTHING;
		CREATE RULE own AS ON UPDATE TO ul DO ALSO DELETE FROM p WHERE x = 1;
		CREATE POLICY own ON b FOR SELECT USING (id IN (SELECT x FROM p));
		CREATE DOMAIN own AS mood DEFAULT 'ok' CHECK (VALUE <> 'sad');
		CREATE TYPE owns AS (m mood, d own);
	SQL
}

@test "schemas built alike have one fingerprint, whatever they are called" {
	local n names=(tenant 'a"b' Upper 'we ird' 'ünï' m 'x.y' 'back\slash' 'select' tenant2 '$dollar' 'per%cent' '~')
	for n in "${names[@]}"; do everything "$n"; done
	run sql "SELECT count(DISTINCT s.fingerprint), count(*) FROM pg_namespace n, public.shape(n.nspname) s WHERE n.nspname !~ '^pg_|^public$|^information'"
	[ "$output" = "1|${#names[@]}" ]
	# And what is left of their own name is a ~ before a dot.
	run sql "SELECT text FROM public.shape('tenant2')"
	[[ $output != *tenant2* ]]
	[[ $output == *"nextval('~.a_id_seq'::regclass)"* ]]
	[[ $output == *'REFERENCES ~.a(id) ON DELETE CASCADE'* ]]
	[[ $output == *"SET search_path TO '~', 'public'"* ]]
}

@test "a schema called like one of its tables may be a class of its own, never like another" {
	everything a
	run sql "SELECT text FROM public.shape('a')"
	[[ $output == *'REFERENCES ~.a(id) ON DELETE CASCADE'* ]]
}

@test "only its own name is taken out, only as a whole identifier" {
	sql "CREATE SCHEMA a1; CREATE SCHEMA data; CREATE SCHEMA data2; CREATE TABLE data2.t (i int primary key);
		CREATE TABLE data.t (i int REFERENCES data2.t); CREATE TABLE a1.t (i int REFERENCES data2.t)" >/dev/null
	run sql "SELECT text FROM public.shape('data')"
	[[ $output == *'REFERENCES data2.t(i)'* ]]
	sql "CREATE SCHEMA ta; CREATE VIEW ta.v AS SELECT 1 AS x FROM data2.t AS data; CREATE VIEW ta.w AS SELECT data.i FROM data2.t AS data"
	run sql "SELECT text FROM public.shape('ta')"
	[[ $output == *'data2.t data'* && $output != *'~'* ]]
}

@test "the fingerprint is the SHA-256 of the text, lines sorted by bytes" {
	run sql "SELECT fingerprint = encode(sha256(convert_to(text, 'UTF8')), 'hex') FROM public.shape('tenant')"
	[ "$output" = t ]
	sql "SELECT text FROM public.shape('tenant')" | sed '/^$/d' >"$BATS_TEST_TMPDIR/text"
	LC_ALL=C sort -c "$BATS_TEST_TMPDIR/text"
	jq -e 'type == "array" and all(.[]; type == "string") and (length == 6 or (length == 3 or length == 4) and .[0] == "unmodelled")' \
		"$BATS_TEST_TMPDIR/text" >/dev/null
}

@test "an empty schema has the digest of nothing, a missing one no row" {
	sql "CREATE SCHEMA nothing"
	run sql "SELECT fingerprint, text FROM public.shape('nothing')"
	[ "$output" = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|' ]
	run sql "SELECT count(*) FROM public.shape('no such')"
	[ "$output" = 0 ]
}

@test "every attribute that is changed changes the fingerprint" {
	local change version
	version=$(sql 'SHOW server_version_num')
	while IFS= read -r change; do
		if [[ $change == *'NULLS NOT DISTINCT'* && $version -lt 150000 || $change == *'DROP EXPRESSION'* && $version -lt 130000 ]]; then continue; fi
		printf 'BEGIN; SET LOCAL search_path = tenant, public; %s; ' "$change"
		printf "SELECT CASE WHEN fingerprint = :'before' THEN %s ELSE 'changed' END FROM public.shape('tenant'); ROLLBACK;\n" "$(literal "$change")"
	done >"$BATS_TEST_TMPDIR/changes" <<'SQL'
CREATE TABLE more (i int)
DROP TABLE ul
ALTER TABLE ul RENAME TO ul2
ALTER TABLE ul SET LOGGED
ALTER TABLE a SET (fillfactor = 50)
ALTER TABLE a REPLICA IDENTITY FULL
ALTER TABLE child NO INHERIT a
ALTER TABLE p DETACH PARTITION p1
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
ALTER TABLE a ADD COLUMN more text
ALTER TABLE a DROP COLUMN k
ALTER TABLE a RENAME COLUMN t TO tt
ALTER TABLE a ALTER COLUMN n TYPE numeric(9,2)
ALTER TABLE ul ALTER COLUMN i TYPE bigint
ALTER TABLE a ALTER COLUMN u TYPE text COLLATE "POSIX"
ALTER TABLE a ALTER COLUMN n SET DEFAULT 2
ALTER TABLE a ALTER COLUMN n DROP DEFAULT
ALTER TABLE a ALTER COLUMN n SET NOT NULL
ALTER TABLE a ALTER COLUMN m DROP NOT NULL
ALTER TABLE a ALTER COLUMN k SET GENERATED BY DEFAULT
ALTER TABLE a ALTER COLUMN k DROP IDENTITY
ALTER TABLE a ALTER COLUMN g DROP EXPRESSION
ALTER TABLE a DROP CONSTRAINT positive
ALTER TABLE a RENAME CONSTRAINT positive TO positiv
ALTER TABLE a DROP CONSTRAINT positive; ALTER TABLE a ADD CONSTRAINT positive CHECK (n > 1)
ALTER TABLE a DROP CONSTRAINT positive; ALTER TABLE a ADD CONSTRAINT positive CHECK (n > 0) NOT VALID
ALTER TABLE b DROP CONSTRAINT b_a_id_fkey
ALTER TABLE b ALTER CONSTRAINT b_a_id_fkey DEFERRABLE
ALTER TABLE b DROP CONSTRAINT b_a_id_fkey; ALTER TABLE b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE SET NULL
ALTER TABLE b DROP CONSTRAINT b_r_excl
ALTER TABLE a DROP CONSTRAINT a_u_key
ALTER TABLE a DROP CONSTRAINT a_u_key; CREATE UNIQUE INDEX a_u_key ON a (u)
ALTER TABLE b DROP CONSTRAINT b_pkey
DROP INDEX plain
ALTER INDEX plain RENAME TO plainer
DROP INDEX plain; CREATE INDEX plain ON a (t, n)
DROP INDEX plain; CREATE INDEX plain ON a (t, n DESC NULLS LAST)
DROP INDEX plain; CREATE INDEX plain ON a (n DESC, t)
DROP INDEX plain; CREATE INDEX plain ON a (t COLLATE "POSIX", n DESC)
DROP INDEX plain; CREATE INDEX plain ON a (t text_pattern_ops, n DESC)
DROP INDEX plain; CREATE INDEX plain ON a (t) INCLUDE (n)
DROP INDEX plain; CREATE INDEX plain ON a (t, n DESC) WITH (fillfactor = 60)
DROP INDEX plain; CREATE INDEX plain ON a (t, n DESC) WHERE n > 1
DROP INDEX plain; CREATE UNIQUE INDEX plain ON a (t, n DESC)
DROP INDEX partial; CREATE INDEX partial ON a (n) WHERE n > 6
DROP INDEX expr; CREATE INDEX expr ON a (upper(t))
DROP INDEX uniq; CREATE UNIQUE INDEX uniq ON a (n, t) NULLS NOT DISTINCT
ALTER TABLE a CLUSTER ON plain
DROP INDEX mvi
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'plain'::regclass
UPDATE pg_catalog.pg_index SET indisready = false WHERE indexrelid = 'plain'::regclass
ALTER SEQUENCE lone INCREMENT 6
ALTER SEQUENCE lone MAXVALUE 1001
ALTER SEQUENCE lone MINVALUE -5
ALTER SEQUENCE lone START 7
ALTER SEQUENCE lone CACHE 3
ALTER SEQUENCE lone NO CYCLE
ALTER SEQUENCE lone AS integer
ALTER SEQUENCE lone OWNED BY ul.i
ALTER SEQUENCE a_id_seq OWNED BY NONE
DROP VIEW v
CREATE OR REPLACE VIEW v AS SELECT id, m FROM a WHERE m = 'sad'
ALTER VIEW v SET (security_barrier = true)
DROP VIEW v; CREATE MATERIALIZED VIEW v AS SELECT id, m FROM a WHERE m = 'ok'
ALTER VIEW v ALTER COLUMN id SET DEFAULT 5
DROP MATERIALIZED VIEW mv
CREATE OR REPLACE FUNCTION f(x integer, y mood) RETURNS integer LANGUAGE sql AS 'SELECT x'
ALTER FUNCTION f STABLE
ALTER POLICY pol ON b USING (id > 0)
ALTER POLICY pol ON b WITH CHECK (id > 0)
ALTER POLICY pol ON b TO postgres
DROP POLICY pol ON b; CREATE POLICY pol ON b FOR SELECT USING (true)
DROP POLICY pol ON b; CREATE POLICY pol ON b AS RESTRICTIVE USING (true)
ALTER TABLE b FORCE ROW LEVEL SECURITY
ALTER TABLE a FORCE ROW LEVEL SECURITY
CREATE OR REPLACE RULE ru AS ON INSERT TO ul DO ALSO NOTHING
CREATE OR REPLACE RULE ru AS ON INSERT TO ul WHERE new.i > 0 DO INSTEAD NOTHING
ALTER TABLE ul DISABLE RULE ru
ALTER DOMAIN dom SET NOT NULL
ALTER DOMAIN dom SET DEFAULT 5
ALTER DOMAIN dom DROP CONSTRAINT dom_check
ALTER DOMAIN dom DROP CONSTRAINT dom_check; ALTER DOMAIN dom ADD CONSTRAINT dom_check CHECK (VALUE > 1)
DROP DOMAIN dom; CREATE DOMAIN dom AS bigint CHECK (VALUE > 0)
ALTER TYPE comp ADD ATTRIBUTE y text
ALTER TYPE comp ALTER ATTRIBUTE x TYPE bigint
ALTER TYPE comp RENAME ATTRIBUTE x TO z
CREATE TYPE ran AS RANGE (SUBTYPE = integer)
DROP STATISTICS st; CREATE STATISTICS st (dependencies) ON t, n FROM a
DROP STATISTICS st; CREATE STATISTICS st (ndistinct) ON u, n FROM a
ALTER FUNCTION f SECURITY DEFINER
ALTER FUNCTION f SET work_mem = '1MB'
ALTER FUNCTION fixed SET search_path = public
ALTER FUNCTION fixed RESET search_path
CREATE FUNCTION f(x text) RETURNS integer LANGUAGE sql AS 'SELECT 1'
DROP PROCEDURE proc
ALTER TABLE a DISABLE TRIGGER touched
ALTER TABLE a ENABLE ALWAYS TRIGGER touched
DROP TRIGGER touched ON a
ALTER TRIGGER touched ON a RENAME TO touch
DROP TRIGGER touched ON a; CREATE TRIGGER touched AFTER UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch()
CREATE TYPE other AS ENUM ('x')
ALTER TYPE mood RENAME VALUE 'sad' TO 'glum'
ALTER TYPE mood ADD VALUE 'glad'
ALTER TYPE mood ADD VALUE 'glad' BEFORE 'ok'
ALTER TYPE mood RENAME TO moods
DROP DOMAIN dom
ALTER TYPE comp RENAME TO comp2
DROP AGGREGATE agg (integer)
DROP STATISTICS st
DROP POLICY pol ON b
ALTER TABLE b DISABLE ROW LEVEL SECURITY
DROP RULE ru ON ul
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
CREATE COLLATION coll FROM "C"
CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple)
SQL
	psql -XqAt -v ON_ERROR_STOP=1 <<-SQL >"$BATS_TEST_TMPDIR/out"
		SELECT fingerprint AS before FROM public.shape('tenant') \gset
		$(cat "$BATS_TEST_TMPDIR/changes")
		SELECT CASE WHEN fingerprint = :'before' THEN 'as before' END FROM public.shape('tenant');
	SQL
	sort "$BATS_TEST_TMPDIR/out" | uniq -c >&2
	run sort -u "$BATS_TEST_TMPDIR/out"
	[ "$output" = $'as before\nchanged' ]
	[ "$(grep -c changed "$BATS_TEST_TMPDIR/out")" -gt 83 ]
}

@test "column order, owners, privileges, rows and comments are no part of it" {
	sql "CREATE SCHEMA one; CREATE TABLE one.t (x int, y text); CREATE SCHEMA two; CREATE TABLE two.t (y text, gone int, x int);
		ALTER TABLE two.t DROP COLUMN gone; INSERT INTO two.t VALUES ('a', 1); COMMENT ON TABLE two.t IS 'hm';
		CREATE ROLE shape_owner; ALTER TABLE two.t OWNER TO shape_owner; GRANT SELECT ON two.t TO public"
	run sql "SELECT count(DISTINCT s.fingerprint) FROM public.shape('one') s FULL JOIN public.shape('two') t USING (fingerprint)"
	[ "$output" = 1 ]
}

@test "history tables are left out with all that belongs to them" {
	sql "CREATE SCHEMA bare; CREATE SCHEMA kept; CREATE TABLE kept.hist (id serial PRIMARY KEY, name text UNIQUE);
		CREATE INDEX ON kept.hist (lower(name))"
	run sql "SELECT b.fingerprint = k.fingerprint FROM public.shape('bare') b, public.shape('kept', '{other,hist}') k"
	[ "$output" = t ]
	run sql "SELECT b.fingerprint = k.fingerprint FROM public.shape('bare') b, public.shape('kept', '{other}') k"
	[ "$output" = f ]
}

@test "members of extensions are left out" {
	sql "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'" | grep -q 1 || skip "no contrib modules here"
	sql "CREATE SCHEMA withext; CREATE EXTENSION pg_trgm SCHEMA withext"
	run sql "SELECT text FROM public.shape('withext')"
	[ "$output" = '' ]
}
