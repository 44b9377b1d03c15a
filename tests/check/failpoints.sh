#!/bin/bash
# What makes the applier fail on purpose is in CONFIG=failpoint alone: neither sources nor released programs know of it.
. "$(dirname "$0")/tap.bash"

release=${PGDOCKET_RELEASE:-build/release}
verdict "no source of the programs names a failpoint" \
	"$(grep -nE 'PGDOCKET_FAIL|PGDOCKET_WITHOUT|tests/fault|failpoint' $(sources 'applier/*' 'bundles/*.[ch]' 'planner/*.[ch]' 'include/*.h'))"
for program in pgdocket pgdocket-apply; do
	verdict "$program has no failpoint" "$([ -f "$release/$program" ] || echo missing
		strings -a "$release/$program" | grep -E 'PGDOCKET_FAIL|PGDOCKET_WITHOUT|__wrap_|__real_|failpoint')"
done
verdict_done
