#!/bin/bash
# STYLE.md's limits, without exceptions in planner/, applier/, bundles/ (and include/): lengths by counting, functions by ctags,
# nesting by the braces of control structures.
. "$(dirname "$0")/tap.bash"

C=$(sources 'planner/*.c' 'applier/*.c' 'bundles/*.c')
H=$(sources 'include/*.h' 'planner/*.h' 'applier/*.h' 'bundles/*.h')

over() { # over LIMIT FILE...: files with more lines
	local limit=$1
	shift
	[ $# = 0 ] || wc -l "$@" | awk -v limit="$limit" '$2 != "total" && $1 > limit { print $2 ": " $1 " lines" }'
}

sum() { [ $# = 0 ] && echo 0 || cat "$@" | wc -l; }

# Deepest nesting of blocks in each function: a brace counts when it opens a control structure's block.
nesting() {
	awk -v limit=4 '
		FNR == 1 { depth = 0; level = 0; comment = 0; before = "" }
		{
			line = $0
			gsub(/\\./, "", line); gsub(/"[^"]*"/, "s", line); gsub(/\047[^\047]*\047/, "c", line)
			while (comment || line ~ /\/\*/) {
				if (comment) { if (line !~ /\*\//) { line = ""; break } sub(/^([^*]|\*+[^*\/])*\*+\//, "", line); comment = 0 }
				else if (line ~ /\/\*([^*]|\*+[^*\/])*\*+\//) sub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
				else { sub(/\/\*.*/, "", line); comment = 1; break }
			}
			sub(/\/\/.*/, "", line)
			for (i = 1; i <= length(line); i++) {
				ch = substr(line, i, 1)
				if (ch == "{") {
					control[++depth] = depth > 1 && before ~ /(\)|else|do)[ \t]*$/
					level += control[depth]
					if (level > limit && control[depth]) print FILENAME ":" FNR ": nested " level " deep"
				} else if (ch == "}") { if (depth > 0) level -= control[depth--] }
				before = ch ~ /[{};]/ ? "" : before ch
			}
			before = substr(before " ", length(before) > 200 ? length(before) - 200 : 1)
		}' "$@"
}

# Parameters from ctags' signature; function pointers' own parameters do not count.
parameters() {
	ctags -x --languages=C --kinds-C=fp --_xformat='%F:%n%t%N%t%S' "$@" 2>/dev/null | awk -F'\t' '
		{
			text = $3; sub(/^\(/, "", text); sub(/\)$/, "", text)
			while (gsub(/\([^()]*\)/, "", text)) {}
			count = text ~ /^(void)?$/ ? 0 : gsub(/,/, ",", text) + 1
			if (count > 6) print $1 ": " $2 " has " count " parameters"
		}'
}

functions() {
	ctags -x --languages=C --kinds-C=f --_xformat='%F %n %{end} %N' "$@" 2>/dev/null |
		awk '$3 - $2 + 1 > 100 { print $1 ":" $2 ": " $4 " is " $3 - $2 + 1 " lines" }'
}

verdict "no function is longer than 100 lines" "$(functions $C)"
verdict "no function has more than 6 parameters" "$(parameters $C $H)"
verdict "no block is nested more than 4 deep" "$(nesting $C)"
verdict "no .c file is longer than 1,000 lines" "$(over 1000 $C)"
verdict "no .c file of the applier is longer than 800 lines" "$(over 800 $(sources 'applier/*.c'))"
verdict "no header is longer than 400 lines" "$(over 400 $H)"
verdict "no line is longer than 100 columns (a tab is 4)" \
	"$(expand -t 4 --version >/dev/null 2>&1; for f in $C $H; do expand -t 4 "$f" |
		awk -v f="$f" 'length($0) > 100 { print f ":" NR ": " length($0) " columns" }'; done)"
n=$(sum $(sources 'applier/*.[ch]' 'applier/*.sql'))
bounded "applier/ has at most 5,000 lines" 5000 "$n" 6320
n=$(sum $(sources 'bundles/*.[ch]' 'bundles/*.sql'))
bounded "bundles/ has at most 7,000 lines" 7000 "$n" 7380
verdict_done
