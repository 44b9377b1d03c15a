# What must hold behind every fault (FAULTS.md, I1 to I10), for scenario.bash.
#
#     oracle_prepare                 what each segment of the plan does, and the queries that look for it; once
#     oracle_reference               behind a fault-free run: the shapes and records that every other must end with; once
#     oracle_check EXIT [killed|lied]  behind a fault: EXIT is what the applier ended with; killed: by a signal, as was wanted;
#                                    lied: the server said what no server says, which 70 may be the answer to
#     oracle_end [EXIT]              the same command again until it exits with 0, if EXIT was not; then as the fault-free run
#     oracle_point LABEL EXIT [killed]   both; counts; prints the label with each violation
#                                  ORACLE_FOUND: violations that were found before
#     oracle_summary                 the last line of a sweep: "points=N violations=M"; fails if there was one
#
# oracle_check and oracle_end print one line for each violation, nothing if all is well.

ORACLE_POINTS=0 ORACLE_VIOLATIONS=0

# schema|segment|kind|name|value of everything that a segment leaves behind, out of the plan itself.
oracle_effects() {
	local schema segment file line text
	pgdocket show s.docket --json | jq -r '.document as $d | $d.schemas[] as $s | $d.programs[$d.classes[$s.class].program]
		| .segments as $all | $all[] as $g
		| ($g.statements[] | select(.does != "filtered") | [$s.name, $g.number, $g.migrations[.migration].file, .line]),
		  ($g.migrations[] | .version as $v | select($g.number == ([$all[] | select(.migrations[].version == $v) | .number] | max))
		    | [$s.name, $g.number, "version", .version]) | join("|")' |
		while IFS='|' read -r schema segment file line; do
			if [ "$file" = version ]; then
				echo "$schema|$segment|version|schema_migrations|$line"
				continue
			fi
			text=$(sed -n "${line}p" "migrations/$file")
			case $text in
			"CREATE TABLE "*) set -- relation "$(awk '{ print $3 }' <<<"$text")" ;;
			"CREATE INDEX CONCURRENTLY "*) set -- native "$(awk '{ print $4 }' <<<"$text")" ;;
			"CREATE INDEX "*) set -- relation "$(awk '{ print $3 }' <<<"$text")" ;;
			*"ADD CONSTRAINT "*) set -- constraint "$(awk '{ print $6 }' <<<"$text")" ;;
			"INSERT INTO "*) set -- "row" "$(awk '{ print $3 }' <<<"$text")" "$(grep -o '[0-9]*' <<<"$text" | tail -n 1)" ;;
			*) echo "no effect is known of: $text" >&2; exit 1 ;;
			esac
			echo "$schema|$segment|$1|$2|${3:-}"
		done
}

# Rows of what may hold several: one branch of a UNION for each table. A table made by a run is read through query_to_xml,
# since it may not be there.
oracle_rows_sql() {
	local schema
	for schema in tenant_1 tenant_2 tenant_3; do
		echo "SELECT '$schema', 'orders', id::text, count(*) FROM $schema.orders GROUP BY id UNION ALL"
		echo "SELECT '$schema', 'schema_migrations', version::text, count(*) FROM $schema.schema_migrations GROUP BY version UNION ALL"
	done
	echo "SELECT 'public', 'schema_migrations', version::text, count(*) FROM public.schema_migrations GROUP BY version UNION ALL"
	cat <<-'SQL'
		SELECT 'public', 'features', v.id::text, count(*)
		  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' AND c.relname = 'features',
		       xmltable('/table/row' PASSING query_to_xml('TABLE ' || c.oid::regclass, false, false, '') COLUMNS id int) v
		 GROUP BY v.id
	SQL
}

# The violations that the server shows; then ledger|oid|segment|xid|run; then shape|... for a comparison. In one snapshot.
oracle_server_sql() {
	local schema segment kind name value
	echo "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
	echo "WITH effect(schema, segment, kind, name, value) AS (VALUES"
	while IFS='|' read -r schema segment kind name value; do
		echo "('$schema', $segment, '$kind', '$name', '$value'),"
	done <"$FAULT_DIR/effects" | sed '$ s/,$//'
	echo "), content(schema, name, value, n) AS ("
	oracle_rows_sql
	cat "$FAULT/oracle.sql"
	echo "COMMIT;"
}

oracle_prepare() {
	oracle_effects >"$FAULT_DIR/effects"
	oracle_server_sql >"$FAULT_DIR/oracle.sql"
	ORACLE_RECORDS=$(cut -d '|' -f 1-2 "$FAULT_DIR/effects" | sort -u | wc -l)
}

# record|FILE|oid|segment of every segment that a bundle says was applied. Read from a copy: a journal that a killed applier
# left belongs to it.
oracle_records() {
	sqlite3 -batch "$1" 'PRAGMA integrity_check; SELECT CAST(body AS TEXT) FROM receipt ORDER BY run, seq' |
		awk -v file="$2" 'NR == 1 && $0 != "ok" { print "I6 " file " is damaged: " $0 }
			/^type: /{ type = $2 } /^oid: /{ oid = $2 } /^segment: /{ segment = $2 }
			/^end$/ { if (type == "segment" || type == "reconcile") print "record|" file "|" oid "|" segment; type = "" }'
}

oracle_files() {
	local copy=$FAULT_DIR/copy work
	for name in s.docket-journal s.docket-wal s.docket-shm; do
		[ ! -e "$name" ] || echo "I6 $name was left"
	done
	[ -f s.docket ] && [ ! -L s.docket ] || { echo "I6 there is no s.docket"; return; }
	cmp -s received.docket "$FAULT_DIR/received" || echo "I10 another file's bytes were changed"
	rm -rf "$copy"
	mkdir "$copy"
	cp s.docket "$copy/bundle"
	oracle_records "$copy/bundle" bundle
	for work in "$FAULT_DIR"/state/*/*/work.docket; do
		[ -e "$work" ] || continue
		cp "$work" "$copy/work.docket"
		[ ! -e "$work-journal" ] || cp "$work-journal" "$copy/work.docket-journal"
		oracle_records "$copy/work.docket" work
	done
	! cmp -s s.docket received.docket || return 0
	# A bundle with results is one that verifies: 0 complete, 4 not complete.
	pgdocket audit s.docket --trust "$FAULT_DIR/trust" >"$FAULT_DIR/audit" 2>&1
	case $? in
	0 | 4) ;;
	*) echo "I6 audit: $(tail -n 1 "$FAULT_DIR/audit")" ;;
	esac
}

# Nothing where nothing may be, and the password nowhere.
oracle_places() {
	local name
	for name in *; do
		case $name in
		s.docket | s.docket.*.new | s.docket.*.new-journal | s.docket.*.results | received.docket | pgdocket.conf | migrations | init.out) ;;
		*) echo "I9 $name was made in the working folder" ;;
		esac
	done
	! grep -rqF -e "$CANARY" . "$FAULT_DIR/state" "$FAULT_DIR/out" "$FAULT_DIR/talk" 2>/dev/null || echo "I9 the password stands in a file"
}

oracle_exit() {
	case $1 in
	0) return ;;
	1 | 3 | 4 | 6) ;;
	70) [ "$2" = lied ] || echo "I7 exit code 70" ;;
	*) [ "$2" = killed ] && [ "$1" -gt 128 ] && return
		echo "I7 exit code $1" ;;
	esac
	[ "$(grep -c '^pgdocket-apply: ' "$FAULT_DIR/talk")" = 1 ] || echo "I7 exit $1, but not one line that says why"
}

# What ledger and records say of each other. end: they are the same.
oracle_compare() {
	awk -F '|' -v end="$1" '
		/^I[0-9]+ / { print; next }
		$1 == "ledger" { ledger[$2 " " $3] = 1 }
		$1 == "record" { times[$2 " " $3 " " $4]++; records[$2]++; if (!($3 " " $4 in ledger)) print "I6 " $2 " has a record, the ledger not: " $3 " segment " $4 }
		END {
			for (k in times) if (times[k] > 1) print "I6 " times[k] " records of " k
			if (end) for (k in ledger) if (!("bundle " k in times)) print "I8 the bundle has no record of " k
		}' "$FAULT_DIR/server" "$FAULT_DIR/records"
}

oracle_server() {
	psql -XqAt -v ON_ERROR_STOP=1 -f "$FAULT_DIR/oracle.sql" >"$FAULT_DIR/server" 2>"$FAULT_DIR/server.err" ||
		echo "the oracle's own query failed: $(head -n 1 "$FAULT_DIR/server.err")"
}

oracle_check() {
	oracle_exit "$1" "${2:-}"
	oracle_server
	oracle_files >"$FAULT_DIR/records"
	oracle_compare ""
	oracle_places
}

# No session and no lock of ours is left: within 65 s at most.
oracle_gone() {
	local left try
	for ((try = 0; try < ${ORACLE_PATIENCE:-650}; try++)); do
		left=$(grep '^left' "$FAULT_DIR/server")
		[ "$left" != "left|0|0|0" ] || return 0
		sleep 0.1
		oracle_server
	done
	echo "I5 sessions, advisory locks, prepared transactions are left: $left"
}

oracle_end() {
	local status=${1:-1} try
	for ((try = 0; try < 5 && status != 0; try++)); do
		status=0
		scenario_run || status=$?
		oracle_exit $status
	done
	[ $status = 0 ] || echo "I8 the same command does not get to 0: $(tail -n 1 "$FAULT_DIR/talk")"
	oracle_server
	oracle_gone
	oracle_files >"$FAULT_DIR/records"
	oracle_compare end
	oracle_places
	[ "$(grep -c '^ledger' "$FAULT_DIR/server")" = "$ORACLE_RECORDS" ] || echo "I8 the ledger has not one row for each segment"
	grep '^shape' "$FAULT_DIR/server" | cmp -s - "$FAULT_DIR/reference" || echo "I8 other shapes than behind a fault-free run"
	! grep -q '^I4' "$FAULT_DIR/server" || echo "I4 an invalid index in the end"
	grep -q "^verified and complete" "$FAULT_DIR/audit" || echo "I8 audit: $(tail -n 1 "$FAULT_DIR/audit")"
	# pg_dump is slow beside the rest: a sample.
	[ $((ORACLE_POINTS % ${ORACLE_DUMP_EVERY:-10})) != 0 ] || oracle_dump | cmp -s - "$FAULT_DIR/reference.dump" || echo "I8 another pg_dump -s"
}

oracle_dump() {
	pg_dump -s | grep -vE '^(--|\\|$)'
}

oracle_reference() {
	local found
	cp received.docket "$FAULT_DIR/received"
	oracle_server
	grep '^shape' "$FAULT_DIR/server" >"$FAULT_DIR/reference"
	oracle_dump >"$FAULT_DIR/reference.dump"
	found=$(oracle_check 0; oracle_end)
	[ -z "$found" ] || { printf 'violations of the fault-free run:\n%s\n' "$found" >&2; exit 1; }
}

oracle_point() {
	local found
	ORACLE_POINTS=$((ORACLE_POINTS + 1))
	# What has ended with 0 needs no second run, and the look behind a fault is part of the one at the end.
	if [ "$2" = 0 ]; then
		found=$(oracle_end 0)
	else
		found=$(oracle_check "$2" "${3:-}"; oracle_end)
	fi
	found=${ORACLE_FOUND:-}${ORACLE_FOUND:+$'\n'}$found
	[ -n "${found//[$'\n']/}" ] || return 0
	ORACLE_VIOLATIONS=$((ORACLE_VIOLATIONS + 1))
	printf 'VIOLATION %s\n%s\n' "$1" "$(sed 's/^/    /' <<<"$found")"
	return 1
}

oracle_summary() {
	echo "points=$ORACLE_POINTS violations=$ORACLE_VIOLATIONS"
	[ $ORACLE_VIOLATIONS = 0 ] && [ $ORACLE_POINTS -gt 0 ]
}
