# The real dbmate beside us, on a project with one schema per tenant: what it did we read as applied, what we did it
# reads as applied, and each can take back what the other did.
load server

setup_file() {
	npm_tools || return 1
	pg_start
}
teardown_file() { pg_stop; }

# npm_tools: what tests/npm/package.json names, installed once under build/.
npm_tools() {
	local folder=$ROOT/build/npm
	export DBMATE=$folder/node_modules/@dbmate/linux-x64/bin/dbmate
	[ -x "$DBMATE" ] && return 0
	mkdir -p "$folder"
	cp "$ROOT/tests/npm/package.json" "$folder/"
	npm install --prefix "$folder" --no-audit --no-fund --loglevel=error >&2
	[ -x "$DBMATE" ]
}

dbmate_in() {
	"$DBMATE" --url "postgres://postgres@/$PGDATABASE?host=$PGHOST&sslmode=disable&search_path=$1" -d migrations \
		--no-dump-schema "${@:2}"
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	pg_new_database "dbmate_$BATS_TEST_NUMBER"
	mkdir migrations
	cat >migrations/20260101000001_orders.sql <<-'SQL'
		-- migrate:up
		CREATE TABLE orders (id bigserial PRIMARY KEY, note text);
		CREATE INDEX orders_note_idx ON orders (note);
		-- migrate:down
		DROP TABLE orders;
	SQL
	cat >migrations/20260101000002_totals.sql <<-'SQL'
		-- migrate:up
		ALTER TABLE orders ADD COLUMN total numeric(12,2) NOT NULL DEFAULT 0;
		ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);
		-- migrate:down
		ALTER TABLE orders DROP COLUMN total;
	SQL
	cat >migrations/20260101000003_lines.sql <<-'SQL'
		-- migrate:up
		CREATE TABLE lines (order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, article text NOT NULL);
		-- migrate:down
		DROP TABLE lines;
	SQL
	cat >pgdocket.conf <<-'CONF'
		[target]
		label = test-1
		[tenants]
		pattern = t_*
		only = orders, lines
		[migrations]
		layout = dbmate
	CONF
	for schema in t_theirs t_ours t_half; do sql "CREATE SCHEMA $schema"; done
	ssh-keygen -q -t ed25519 -N '' -f alice
	pgdocket trust init trust --label test-1 >/dev/null 2>&1
	sed -i 's/^require: approve 1/require: approve 0/; s/^#require-apply-host: yes/require-apply-host: no/' trust/policy.conf
	pgdocket trust add trust --role planner --principal alice --key alice.pub >/dev/null
	pgdocket-apply bootstrap -q
}

# apply_all [plan option...]: snapshot, plan, sign, run.
apply_all() {
	pgdocket snapshot -qf -o s.docket
	pgdocket plan -q s.docket "$@"
	pgdocket sign -q s.docket --key alice --principal alice
	pgdocket-apply run s.docket --trust trust --state state --yes -q
}

structure() {
	pg_dump -s --no-owner -n "$1" | sed "s/$1/SCHEMA/g" | grep -vE '^(--|\\|SET |SELECT |$)'
}

@test "dbmate says in each schema that nothing is pending; structure and history rows are its own" {
	dbmate_in t_theirs,public migrate
	mkdir aside && mv migrations/20260101000003_lines.sql aside/
	dbmate_in t_half,public migrate
	mv aside/20260101000003_lines.sql migrations/
	run pgdocket status -d "$PGDATABASE" --json
	[ "$status" = 0 ]
	apply_all --scope tenant
	for schema in t_theirs t_ours t_half; do
		run dbmate_in "$schema,public" status --exit-code
		[ "$status" = 0 ]
		[[ $output == *"Applied: 3"*"Pending: 0"* ]]
		[ "$(structure "$schema")" = "$(structure t_theirs)" ]
		[ "$(sql "SELECT version FROM $schema.schema_migrations ORDER BY 1")" = \
			"$(sql "SELECT version FROM t_theirs.schema_migrations ORDER BY 1")" ]
	done
}

@test "what dbmate did is read as applied: nothing pending, no plan" {
	for schema in t_theirs t_ours t_half; do dbmate_in $schema,public migrate; done
	pgdocket snapshot -q -o s.docket
	run pgdocket plan s.docket --scope tenant
	[ "$status" = 0 ]
	[[ $output == *"no migration is pending"* ]]
}

@test "dbmate reverts what we applied, we revert what dbmate applied" {
	dbmate_in t_theirs,public migrate
	apply_all --scope tenant
	dbmate_in t_ours,public rollback
	[ "$(sql "SELECT to_regclass('t_ours.lines') IS NULL, to_regclass('t_theirs.lines') IS NULL")" = "t|f" ]
	apply_all --scope tenant --schema t_theirs --revert 1
	[ "$(sql "SELECT to_regclass('t_theirs.lines') IS NULL")" = t ]
	run dbmate_in t_theirs,public status
	[[ $output == *"Applied: 2"*"Pending: 1"* ]]
}
