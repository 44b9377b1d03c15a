#!/bin/bash
# What keeps the layers apart beyond the compiler's include paths: no file reaches outside its folder and include/, each
# library is included only where STYLE.md allows it, and no two files share a stem.
. "$(dirname "$0")/tap.bash"

CODE=$(sources 'include/*.h' 'bundles/*.[ch]' 'applier/*.[ch]' 'planner/*.[ch]')

includes() { # includes PATTERN FILES...: lines that include it
	local pattern=$1
	shift
	[ $# = 0 ] || grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@"
}

# A quoted include is found in the file's own folder or in include/, or is the generated sql.h.
foreign() {
	local file name
	grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' "$@" | sed -E 's/^([^:]*):.*"([^"]*)"$/\1 \2/' |
		while read -r file name; do
			[ -f "$(dirname "$file")/$name" ] || [ -f "include/$name" ] || [ "$name" = sql.h ] || echo "$file includes \"$name\""
		done
}

verdict "no include climbs out of its folder" "$(includes '\.\./|/|planner/|applier/|bundles/' $CODE)"
verdict "a file includes its own folder and include/ only" "$(foreign $CODE)"
verdict "include/ names no library's headers" "$(includes 'sqlite3|libpq|pg_query|openssl|zlib|ini\.h' $(sources 'include/*.h'))"
verdict "bundles/ knows no server and no grammar" "$(includes 'libpq|pg_query|ini\.h|postgres' $(sources 'bundles/*.[ch]'))"
verdict "bundles/base/ knows no SQLite" "$(includes 'sqlite3|zlib' $(sources 'bundles/base/*.[ch]'))"
verdict "the applier knows no grammar and no configuration file" "$(includes 'pg_query|ini\.h' $(sources 'applier/*.[ch]'))"
verdict "the planner reaches a server only through session.h" "$(includes 'libpq' $(sources 'planner/*.[ch]'))"
verdict "libpg_query has one facade" \
	"$(includes 'pg_query|protobuf' $(sources 'planner/*.[ch]') | grep -v '^planner/statement/')"
verdict "the bundle is opened through db.h and bundle.h alone" \
	"$(includes 'sqlite3' $(sources 'applier/*.[ch]' 'planner/*.[ch]'))"
stems() { sources 'bundles/*' 'applier/*' 'planner/*' | grep -E "\.($1)$" | sed -E 's#.*/##; s/\.[a-z]+$//' | sort | uniq -d; }
verdict "no two .c files share a stem" "$(stems c)"
verdict "no two .sql files share a stem" "$(stems sql)"
verdict "no two headers share a name" \
	"$(sources 'include/*.h' 'bundles/*.h' 'applier/*.h' 'planner/*.h' | sed 's#.*/##' | sort | uniq -d)"
verdict "every .c file of the applier stands in the makefile" \
	"$(for f in $(sources 'applier/*.c'); do grep -qwE "^APPLIER.*$(basename "$f" .c)|^  .*\b$(basename "$f" .c)\b" GNUmakefile || echo "$f"; done)"
verdict_done
