#!/bin/sh
# What a run of the tests reached of one folder's C: tests/coverage.sh OBJECTS FOLDER [LIST]
#
#   OBJECTS   the folder of CONFIG=cov, with .gcno and .gcda files       LIST   lines and branches that were not reached
#
# Prints lines and branches per file and in all, as gcov counts them: each operand of && and || has two branches. Branches on
# lines that were never reached count as not taken.
set -eu
objects=$1 folder=$2 list=${3:-/dev/null}

find "$objects/$folder" -name '*.gcda' -size 0 -delete
for object in "$objects/$folder"/*.gcno; do
	gcov -b -c -t "${object%.gcno}.o" 2>/dev/null
done | awk -v folder="$folder/" -v list="$list" '
	function percent(part, whole) { return whole ? 100 * part / whole : 100 }
	function row(name, l, lhit, b, bhit) {
		printf "%-28s %5d of %5d lines %6.1f %%   %5d of %5d branches %6.1f %%\n", name, lhit, l, percent(lhit, l), bhit, b, percent(bhit, b)
	}
	function tell() {
		if (missed) print file ":" number ": " (missed == ways ? "no branch" : missed " of " ways " branches not") " taken: " text >list
		missed = ways = 0
	}
	function close_file() { tell(); if (lines) row(file, lines, hit, branches, taken); lines = hit = branches = taken = 0 }
	/^ *-: *0:Source:/ {
		close_file()
		file = $0
		sub(/^.*Source:/, "", file)
		on = index(file, folder) == 1 && file ~ /\.c$/
		next
	}
	!on { next }
	/^branch/ {
		branches++; all_branches++; ways++
		if ($3 == "taken" && $4 > 0) { taken++; all_taken++ } else missed++
		next
	}
	/^(call|function|unconditional)/ { next }
	{
		tell()
		split($0, part, ":")
		count = part[1]; number = part[2] + 0
		text = substr($0, length(part[1]) + length(part[2]) + 3)
		sub(/^[ \t]+/, "", text)
		if (count ~ /-/ || number == 0) next
		lines++; all_lines++
		if (count ~ /[1-9]/) { hit++; all_hit++ }
		else print file ":" number ": not reached: " text >list
	}
	END { close_file(); row("in all", all_lines, all_hit, all_branches, all_taken) }'
