#!/usr/bin/env bats
# The catalogue of faults, group I: names, bytes and sizes at their limits, from the snapshot to the audit.

bats_require_minimum_version 1.5.0
load server
load plan
load apply
load fault

setup_file() { pg_start; }
teardown_file() { pg_stop; }
teardown() { oracle; }

# tenants NAME...: schemas of these names, listed, like those of plan_new.
tenants() {
	local name q
	for name; do
		q=$(ident "$name")
		echo "INSERT INTO public.tenants (schema_name) VALUES ($(literal "$name")); CREATE SCHEMA $q;
			CREATE TABLE $q.campaigns (id int PRIMARY KEY, status text); CREATE TABLE $q.orders (id int); CREATE INDEX campaigns_status_idx ON $q.campaigns (status);
			CREATE TABLE $q.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO $q.schema_migrations VALUES (1, false);"
	done | psql -Xq -v ON_ERROR_STOP=1 -f -
}

# Nothing that could move a cursor, and every line is UTF-8. For people (not in JSON) nothing hides or turns text around either.
harmless() {
	! LC_ALL=C.UTF-8 grep -qP '[\x{00}-\x{08}\x{0b}-\x{1f}\x{7f}-\x{9f}]' <<<"$output" || { echo "control characters:"; cat -v <<<"$output"; return 1; }
	[ "${1:-}" = --json ] || ! LC_ALL=C.UTF-8 grep -qP '\x{202e}|\x{200b}' <<<"$output" || { echo "hidden characters:"; cat -v <<<"$output"; return 1; }
	iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
}

@test "I01 I02 I05 I06 I07 hostile names of schemas: each gets its own migration, once, and nobody's terminal is moved" {
	fault_new names 1
	printf '[wave all]\nschemas = *\n' >>pgdocket.conf
	names=('a"b' "a'b" 'a\b' 'a;DROP SCHEMA tenant_1;--' 'a b' ' a' 'a ' '%s%n' '{}' '{a,b}' '*/' '/*' '$$' '$1' '"' "'" '\' ',' 'a,b' '.' 'a.b' '*' '?' '[a]' '#' ';' '=' '--' '-x' '@' 'NULL' 'select'
		$'new\nline' $'c\rr' $'t\tb' $'e\e[2Jsc' $'b\ax' $'d\x7fl' 'T1' 't1' 'é' $'e\xcc\x81' 'а' 'a' '😀' $'x\xe2\x80\xaex' $'x\xe2\x80\x8bx' 'ß' 'ı' 'i' $'c\xc2\x9b1mx' $'n\xc2\x85x'
		"$(printf 'l%.0s' {1..63})" "$(printf 'm%.0s' {1..62})" "$(printf 'ü%.0s' {1..31})n" "$(printf 'ü%.0s' {1..31})")
	tenants "${names[@]}"
	[ "$(sql "SELECT count(*) FROM pg_namespace n JOIN public.tenants t ON t.schema_name = n.nspname")" = $((${#names[@]} + 1)) ]
	apply_plan
	for command in "pgdocket status s.docket" "pgdocket show s.docket" "apply -j 3 -v" "pgdocket audit s.docket --trust $BATS_TEST_TMPDIR/trust" \
		"pgdocket-apply status s.docket --state $BATS_TEST_TMPDIR/state"; do
		run $command
		exits 0
		harmless
	done
	for name in "${names[@]}"; do
		q=$(ident "$name")
		echo "SELECT $(literal "$name") WHERE (SELECT version FROM $q.schema_migrations) <> 3 OR (SELECT count(*) FROM $q.orders) <> 2 OR to_regclass($(literal "$q.b")) IS NULL;"
	done >each.sql
	[ -z "$(psql -XqAt -v ON_ERROR_STOP=1 -f each.sql)" ]
	ledger_whole $((${#names[@]} + 1))
	[ "$(sql "SELECT count(*) FROM pgdocket.applied a JOIN pg_namespace n ON n.oid = a.schema_oid AND n.nspname = a.schema_name")" = $((${#names[@]} + 1)) ]
	apply_plan --revert 2
	run --separate-stderr apply --json
	exits 0
	harmless --json
	[ "$(jq -s '[.[] | select(.event == "schema-done") | .schema] | unique | length' <<<"$output")" = $((${#names[@]} + 1)) ]
	FAULT_DATABASE=
}

@test "I03 I04 I05 I08 names that cannot be a tenant's are left out by name, and nothing is cut to fit" {
	fault_new reserved 1
	long=$(printf 'n%.0s' {1..63})
	sql "CREATE SCHEMA \"\$user\"; CREATE SCHEMA \"$long\""
	sql "INSERT INTO public.tenants (schema_name) VALUES ('\$user'), ('pg_temp'), ('pg_x'), ('information_schema'), ('public'), (''), ('${long}x'), ('${long}y'), ('pgdocket')"
	apply_plan
	run pgdocket status s.docket --json
	exits 0
	[ "$(jq -c '[.problems[].rule] | sort' <<<"$output")" = '["empty","long","long","reserved","reserved","reserved","reserved","shared","unaddressable"]' ]
	run apply
	left 1 0 "complete: 1 of 1"
	[ "$(sql "SELECT count(*) FROM pg_class WHERE relnamespace IN ('\"\$user\"'::regnamespace, '$long'::regnamespace)")" = 0 ]
}

@test "I10 bytes that are not UTF-8, in each place of a file: refused with the place" {
	fault_new bytes 1
	snapshot
	while IFS='|' read -r bytes text; do
		printf "$bytes" >migrations/3_third.up.sql
		run pgdocket plan s.docket --scope tenant
		[ "$status" != 0 ]
		has "3_third.up.sql"
		has "$text"
		harmless
	done <<-'END'
		SELECT 1;\nSELECT '\xe4';\n|up.sql:2: is not valid UTF-8
		SELECT 1; -- \xc0\xaf\n|up.sql:1: is not valid UTF-8
		CREATE TABLE "\xed\xa0\x80" (id int);\n|up.sql:1: is not valid UTF-8
		\xf4\x90\x80\x80|up.sql:1: is not valid UTF-8
		\xef\xbb\xbfSELECT 1;|byte order mark
		\xff\xfeS\x00E\x00L\x00|up.sql:1:
		SELECT 1;\nSELECT\x00 2;|up.sql:2: holds a NUL byte
	END
	mv migrations/3_third.up.sql "migrations/3_th"$'\xe4'"rd.up.sql"
	run pgdocket plan s.docket --scope tenant
	[ "$status" != 0 ]
	harmless
	FAULT_DATABASE=
}

@test "I11 databases of other encodings: refused by both programs, with the encoding's name" {
	fault_new encodings 1
	apply_plan
	for encoding in LATIN1 SQL_ASCII EUC_JP; do
		psql -Xq -d postgres -c "CREATE DATABASE $encoding TEMPLATE template0 ENCODING $encoding LC_COLLATE 'C' LC_CTYPE 'C'"
		for command in "apply" "applier check" "pgdocket snapshot --force -o other.docket" "pgdocket-apply bootstrap"; do
			run $command -d "${encoding,,}"
			exits 1
			has "the database's encoding is $encoding"
			has "hint: only databases with encoding UTF8 are supported"
		done
	done
	[ ! -e other.docket ]
}

@test "I13 an error message of a megabyte with escapes: cut, made harmless, in the records too" {
	fault_new messages 1 "$(hidden "DO \$in\$ BEGIN RAISE EXCEPTION '%', E'\x1b[2J\x07\n\u202e' || repeat('long ', 200000) USING HINT = E'\x1b]0;hint\x07' || repeat('h', 100000), DETAIL = repeat(E'\x1b', 1000); END \$in\$")"
	apply_plan
	for json in "" --json; do
		run apply $json
		left 0 1 "long long"
		harmless $json
		[ ${#output} -lt 30000 ]
	done
	[ "$(sqlite3 s.docket "SELECT max(length(body)) < 8192 AND count(*) > 0 FROM receipt WHERE CAST(body AS text) LIKE '%long%long%'")" = 1 ]
	run pgdocket audit s.docket --trust "$BATS_TEST_TMPDIR/trust"
	exits 4
	harmless
}

@test "I14 1,600 columns, 10,000 statements, deep nesting: it works, or is a clean failure" {
	fault_new sizes 1
	third "CREATE TABLE c ($(printf 'c%d int,' {1..1599}) c1600 int);"
	apply_plan
	run apply
	left 1 0 complete
	migration 4 fourth "$(printf 'INSERT INTO orders VALUES (4);\n%.0s' {1..9999})
DELETE FROM orders WHERE id = 4;"
	ORACLE_MENDED=yes
	apply_plan
	run apply
	exits 0
	[ "$(sql "SELECT count(*) FROM tenant_1.orders")" = 2 ]
	for deep in "SELECT $(printf '(%.0s' {1..1000})1$(printf ')%.0s' {1..1000});" "SELECT $(printf '/*%.0s' {1..1000})x$(printf '*/%.0s' {1..1000}) 1;"; do
		migration 5 fifth "$deep"
		apply_plan
		run apply
		exits 0
		migration 5 fifth "SELECT 1;"
		sql "UPDATE tenant_1.schema_migrations SET version = 4"
	done
	migration 5 fifth "SELECT $(printf '(%.0s' {1..30000})1$(printf ')%.0s' {1..30000});"
	snapshot
	run pgdocket plan s.docket --scope tenant
	exits 1
	has "memory exhausted"
	migration 5 fifth "CREATE FUNCTION deep() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN deep(); END';
SELECT deep();"
	apply_plan
	run apply
	exits 1
	has "stack depth limit exceeded"
	[ "$(sql "SELECT count(*) FROM pg_proc WHERE proname = 'deep'")" = 0 ]
}

# (FAULT_LARGE=67108700: one of 64 MiB, for once.)
@test "I12 statements of no byte, of one, of 8 MiB; a file above the limit is refused by name" {
	fault_new length 1
	printf '' >migrations/4_none.up.sql
	printf ';' >migrations/5_one.up.sql
	{ printf -- "-- pgdocket: accept=opaque it is large\nSELECT length('"; head -c "${FAULT_LARGE:-8388608}" /dev/zero | tr '\0' x; echo "');"; } >migrations/6_large.up.sql
	ORACLE_MENDED=yes
	apply_plan
	run apply
	left 1 0 complete
	every_tenant 6 2
	audited 0
	{ printf "SELECT length('"; head -c 67108864 /dev/zero | tr '\0' x; echo "');"; } >migrations/7_larger.up.sql
	run pgdocket snapshot -q --force -o s.docket
	[ "$status" != 0 ]
	has 7_larger.up.sql
	has "more than the 67108864 bytes allowed"
}
