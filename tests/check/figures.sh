#!/bin/bash
# The tree's measures, for a note: lines per folder, function lengths, the applier's size and libraries. Prints; judges nothing.
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}

lines() { git ls-files -- "$@" | xargs -r cat | wc -l; }
lengths() {
	git ls-files -- "$@" | ctags -L - -x --languages=C --kinds-C=f --_xformat='%{end} %n' 2>/dev/null |
		awk '{ print $1 - $2 + 1 }' | sort -n |
		awk '{ a[NR] = $1 } END { if (NR) printf "%d functions: median %d, p95 %d, longest %d", NR, a[int((NR + 1) / 2)], a[int(NR * 0.95 + 0.5)], a[NR] }'
}
for folder in include bundles applier planner tests; do
	printf '%-9s %6d lines C, %5d SQL, %5d shell   %s\n' "$folder" "$(lines "$folder/*.[ch]")" "$(lines "$folder/*.sql")" \
		"$(lines "$folder/*.sh" "$folder/*.bats" "$folder/*.bash")" "$(lengths "$folder/*.c")"
done
printf '%-9s %s\n' all "$(lengths 'bundles/*.c' 'applier/*.c' 'planner/*.c')"
git ls-files -- 'bundles/*.c' 'applier/*.c' 'planner/*.c' | xargs -r wc -l | grep -v ' total$' | sort -n |
	awk '{ a[NR] = $1; f[NR] = $2 } END { printf ".c files  %d: median %d lines, longest %d (%s)\n", NR, a[int((NR + 1) / 2)], a[NR], f[NR] }'
for program in pgdocket pgdocket-apply; do
	[ -x "$build/$program" ] || continue
	copy=$(mktemp)
	strip -o "$copy" "$build/$program"
	printf '%-15s %7d bytes stripped; needs %s\n' "$program" "$(stat -c %s "$copy")" \
		"$(readelf -dW "$copy" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' | paste -sd ' ')"
	rm -f "$copy"
done
