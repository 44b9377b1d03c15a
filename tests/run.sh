#!/bin/bash
# Runs test suites side by side and counts: unit-test programs (Criterion), bats files, checks and other scripts, all of
# which print TAP. One line per suite; a failing test's output is shown; the last line is "N passed, N failed".
#
#   tests/run.sh SUITE...     SUITE: an executable or a .bats file, or label=path to tell two builds of one test apart
#
# JOBS suites at a time (default: processors). OUT: where each suite's whole output goes (default build/results).
# Exit status: 0 only when something ran and nothing failed.
set -u

suite_output() {
	case $1 in
	*.bats) bats --formatter tap "$1" ;;
	*/test_*) "$1" --tap=- -j1 --quiet ;;
	*) "$1" ;;
	esac </dev/null
}

# The not-ok lines of a TAP stream with what is said about each.
tap_failures() {
	awk '/^not ok/ { shown = 0; on = 1 } /^ok/ { on = 0 } on && shown++ < 60 { print "    " $0 }' "$1"
}

# The first sanitizer report in full, of the others where they were seen.
sanitizer_reports() {
	local report first=yes
	for report in "$1".sanitizer.*; do
		[ $first = no ] || head -n 40 "$report" | sed 's/^/    /'
		[ $first = yes ] || grep -hE 'ERROR:|runtime error:|^ +#[0-9]+ .* [a-z_/]+\.c:[0-9]+' "$report" | head -n 3 | sed 's/^/    /'
		first=no
	done
}

run_one() {
	local label=${1%%=*} path=${1#*=} out began ended status passed failed skipped planned reports
	out=$OUT/$(printf '%s' "$label" | tr / _).tap
	# Sanitizers write to files: a report counts even where a test expected the program to fail, or Criterion ignores it.
	export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:log_path=$out.sanitizer
	export UBSAN_OPTIONS=print_stacktrace=1:log_path=$out.sanitizer
	began=$(date +%s%N)
	suite_output "$path" >"$out" 2>"$out.err"
	status=$?
	ended=$(date +%s%N)
	skipped=$(grep -ciE '^ok.* # skip' "$out")
	passed=$(($(grep -cE '^ok\b' "$out") - skipped))
	failed=$(grep -cE '^not ok\b' "$out")
	planned=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$out" | head -n 1)
	# A suite that dies, or says nothing, has failed in the tests that it did not report.
	if [ -n "$planned" ] && [ $((passed + failed + skipped)) -lt "$planned" ]; then
		failed=$((planned - passed - skipped))
	elif [ $failed = 0 ] && { [ $status != 0 ] || [ $((passed + skipped)) = 0 ]; }; then
		failed=1
	fi
	reports=$(find "$OUT" -name "${out##*/}.sanitizer.*" | wc -l)
	failed=$((failed + reports))
	printf '%s %s %s\n' "$passed" "$failed" "$skipped" >"$out.count"
	{
		printf '%-4s %-44s %4d passed' "$([ $failed = 0 ] && echo ok || echo FAIL)" "$label" "$passed"
		[ $failed = 0 ] || printf ', %d failed' "$failed"
		[ $skipped = 0 ] || printf ', %d skipped' "$skipped"
		printf '  %d.%01d s\n' $(((ended - began) / 1000000000)) $(((ended - began) / 100000000 % 10))
		if [ $failed != 0 ]; then
			tap_failures "$out"
			[ $status = 0 ] || printf '    exit status %d\n' $status
			grep -qE '^not ok' "$out" || tail -n 30 "$out" | sed 's/^/    /'
			tail -n 40 "$out.err" | sed 's/^/    /'
			[ $reports = 0 ] || sanitizer_reports "$out"
		fi
	} >"$out.report"
	cat "$out.report"
}

if [ "${1:-}" = --one ]; then
	run_one "$2"
	exit 0
fi
cd "$(dirname "$0")/.." || exit 1
OUT=$(realpath -m "${OUT:-build/results}")
export OUT
rm -rf "$OUT"
mkdir -p "$OUT"
[ $# -gt 0 ] || { echo "nothing to run"; exit 1; }
printf '%s\0' "$@" | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "$0" --one
cat "$OUT"/*.count 2>/dev/null | {
	passed=0 failed=0 skipped=0
	while read -r p f s; do
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	[ "$(ls "$OUT"/*.count 2>/dev/null | wc -l)" = $# ] || { echo "some suites left no result"; failed=$((failed + 1)); }
	[ $skipped = 0 ] || echo "$skipped skipped: $(grep -ohiE '# skip.*' "$OUT"/*.tap | sort -u | cut -c 8- | paste -sd ';')"
	echo "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}
