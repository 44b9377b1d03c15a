#!/bin/bash
# make format: lets clang-format break the lines that are longer than 100 columns, and no other. Comments it leaves to people.
#   tests/format.sh [FILE...]     default: every C file of ours
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- $(git ls-files 'include/*.h' 'bundles/*.[ch]' 'applier/*.[ch]' 'planner/*.[ch]')
for file in "$@"; do
	for _ in 1 2 3; do
		ranges=$(expand -t 4 "$file" | awk 'length($0) > 100 { printf "--lines=%d:%d ", NR, NR }')
		[ -z "$ranges" ] || clang-format -i $ranges "$file"
	done
done
