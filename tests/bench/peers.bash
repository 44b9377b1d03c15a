# PEERS=1: other tools, each in the fastest form that it has, one transaction per schema where it knows that. Each has a
# history table of its own in the tenants of a second fleet. npm installs them under build/, once (tests/bench/package.json);
# alembic is measured where Debian's python3-alembic and python3-psycopg2 are.

PYTHON=/usr/bin/python3
PEERS_DIR=$ROOT/build/bench-npm
DBMATE=$PEERS_DIR/node_modules/@dbmate/linux-x64/bin/dbmate
export NODE_PATH=$PEERS_DIR/node_modules

peer_install() {
	mkdir -p "$PEERS_DIR"
	cp "$BENCH/package.json" "$BENCH/peers.js" "$PEERS_DIR/"
	[ ! -x "$DBMATE" ] || [ ! -d "$NODE_PATH/typeorm" ] || return 0
	npm install --prefix "$PEERS_DIR" --no-audit --no-fund --loglevel=error >&2
}

# quoted FILE: the statements of its upper half as a JavaScript array.
quoted() { upper "$1" | jq -Rs 'split(";\n") | map(select(test("[a-zA-Z]")))'; }

peer_has_alembic() { "$PYTHON" -c 'import alembic, psycopg2' 2>/dev/null; }

# The migrations in the forms of the others: time stamps of 13 digits, in the order of the files.
peer_forms() {
	local file stamp=1700000000000 name before=None
	mkdir -p "$WORK"/forms/{typeorm,node-pg-migrate,alembic/versions}
	cat >"$WORK/forms/alembic/env.py" <<-'PY'
		from alembic import context
		settings = context.config.attributes
		with settings["engine"].begin() as connection:
		    connection.exec_driver_sql('SET LOCAL search_path = "%s", public' % settings["schema"])
		    context.configure(connection=connection, version_table_schema=settings["schema"])
		    with context.begin_transaction():
		        context.run_migrations()
	PY
	for file in "${MIGRATIONS[@]}"; do
		stamp=$((stamp + 1))
		name=$(basename "$file" .sql)
		name=${name#*_}
		cat >"$WORK/forms/typeorm/$stamp-$name.js" <<-JS
			exports.${name}$stamp = class {
				name = '${name}$stamp';
				async up(runner) { for (const sql of $(quoted "$file")) await runner.query(sql); }
				async down() {}
			};
		JS
		echo "exports.up = (pgm) => { for (const sql of $(quoted "$file")) pgm.sql(sql); };" \
			>"$WORK/forms/node-pg-migrate/${stamp}_$name.js"
		cat >"$WORK/forms/alembic/versions/$stamp.py" <<-PY
			from alembic import op
			revision = "$stamp"
			down_revision = $before
			def upgrade():
			    for sql in $(quoted "$file"):
			        op.execute(sql)
		PY
		before="\"$stamp\""
	done
}

# What each has in its own history of the first three versions.
peer_histories() {
	local i stamp name
	echo 'CREATE TABLE typeorm_migrations (id serial PRIMARY KEY, "timestamp" bigint NOT NULL, name varchar NOT NULL);'
	echo 'CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);'
	for ((i = 0; i < 3; i++)); do
		stamp=$((1700000000001 + i))
		name=$(basename "${MIGRATIONS[i]}" .sql)
		name=${name#*_}
		echo "INSERT INTO typeorm_migrations (\"timestamp\", name) VALUES ($stamp, '$name$stamp');"
		echo "INSERT INTO pgmigrations (name, run_on) VALUES ('${stamp}_$name', now());"
	done
	echo 'CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);'
	echo "INSERT INTO alembic_version VALUES ('$stamp');"
}

# peer_template N TEMPLATE: TEMPLATE_peers.
peer_template() {
	local i
	durable off
	psql -Xq -d postgres -c "CREATE DATABASE \"$2_peers\" TEMPLATE \"$2\" STRATEGY file_copy"
	peer_histories >"$WORK/histories.sql"
	for ((i = 1; i <= $1; i++)); do
		printf 'SET search_path = tenant_%05d, public;\n' "$i"
		cat "$WORK/histories.sql"
	done | psql -Xq -d "$2_peers" -v ON_ERROR_STOP=1
	psql -Xq -d "$2_peers" -c 'VACUUM ANALYZE'
	durable on
}

peer_tools() {
	printf '%s\n' dbmate-j4 typeorm-j1 typeorm-j4 node-pg-migrate-j1 node-pg-migrate-j4
	! peer_has_alembic || echo alembic-j1
}

# peer_command NAME: what is to be timed.
peer_command() {
	local j=${1##*-j}
	case $1 in
	dbmate-*)
		PEER=(bash -c 'psql -XqAt -c "SELECT schema_name FROM public.tenants ORDER BY 1" | xargs -P "$1" -I{} \
			"$2" --url "postgres://$PGUSER@/$PGDATABASE?host=$PGHOST&port=$PGPORT&sslmode=disable&search_path={},public" \
			-d migrations --no-dump-schema migrate' dbmate "$j" "$DBMATE") ;;
	alembic-*) PEER=("$PYTHON" "$BENCH/peers_alembic.py" "$WORK/forms/alembic") ;;
	*) PEER=(node "$PEERS_DIR/peers.js" "${1%-j*}" "$WORK/forms" "$j") ;;
	esac
}

peer_install
peer_forms
