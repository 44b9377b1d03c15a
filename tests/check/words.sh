#!/bin/bash
# Nothing in the tree says of itself that it is unfinished, every .c says what it is for, and libraries leave printing and
# exiting to main.
. "$(dirname "$0")/tap.bash"

CODE=$(sources 'bundles/*.[ch]' 'applier/*.[ch]' 'planner/*.[ch]' 'include/*.h')
ALL=$(sources '*.c' '*.h' '*.sql' '*.sh' '*.bash' '*.bats' '*.mk' '*.md' GNUmakefile .ci/run | grep -v '^tests/check/words.sh$')

verdict "no word of something unfinished" "$(grep -HnE '\b(TODO|FIXME|XXX|HACK)\b|\b(not implemented|for now|stub)\b' $ALL)"
verdict "every .c and .sql file begins with a comment" \
	"$(for f in $(sources 'bundles/*.c' 'applier/*.c' 'planner/*.c'); do head -c 2 "$f" | grep -q '^/\*' || echo "$f"; done
	for f in $(sources 'applier/*.sql' 'planner/*.sql'); do head -c 2 "$f" | grep -qE '^(--|/\*)' || echo "$f"; done)"
verdict "every header has a guard of its own name" \
	"$(for f in $(sources 'include/*.h' 'bundles/*.h' 'applier/*.h' 'planner/*.h'); do
		guard=PGDOCKET_$(basename "$f" | tr 'a-z.' 'A-Z_'); grep -q "^#ifndef $guard\$" "$f" || echo "$f: $guard"; done)"
verdict "no unbounded or locale-bound C functions" \
	"$(grep -HnE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|setlocale|alloca|mktemp|tmpnam|popen|system)[[:space:]]*\(' $CODE)"
verdict "no line ends in blanks" "$(grep -HnE '[[:blank:]]+$' $ALL)"
verdict_done
