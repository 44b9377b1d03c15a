#!/bin/bash
# The applier stays small enough to audit: which libraries it loads, which functions it can call, how big it is.
. "$(dirname "$0")/tap.bash"

program=${PGDOCKET_RELEASE:-build/release}/pgdocket-apply
allowed='libc\.so\.6|libpq\.so\.5|libsqlite3\.so\.0|libz\.so\.1|libcrypto\.so\.3'
needed=$(readelf -dW "$program" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
verdict "its direct libraries are libc, libpq, libsqlite3, libz and libcrypto" "$(printf '%s\n' "$needed" | grep -vxE "$allowed")"

undefined=$(nm -D --undefined-only "$program" | awk '{ sub(/@.*/, "", $2); print $2 }')
verdict "it cannot start a program or load code" \
	"$(printf '%s\n' "$undefined" | grep -xE 'exec.*|fexecve|posix_spawn.*|system|popen|fork|vfork|clone|dlopen|dlmopen|dlsym|wordexp|pthread_create')"
verdict "it loads no SQLite extension and defines no SQL function or module" \
	"$(printf '%s\n' "$undefined" | grep -xE 'sqlite3_(load_extension|enable_load_extension|auto_extension|create_(function|window_function|module|collation).*)')"
verdict "it uses no unbounded output functions and no locale" \
	"$(printf '%s\n' "$undefined" | grep -xE 'v?sprintf|gets|setlocale|mktemp|tmpnam|PQfn')"
verdict "it listens on nothing" "$(printf '%s\n' "$undefined" | grep -xE 'listen|accept4?|bind')"

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$program"
size=$(stat -c %s "$stripped")
bounded "stripped it has less than 200 kB" 199999 "$size" 232000
header=$(readelf -hldW "$program")
verdict "it is position independent, with full RELRO and no executable stack" \
	"$(grep -q 'Type:.*DYN' <<<"$header" || echo 'not PIE'; grep -q GNU_RELRO <<<"$header" || echo 'no RELRO'
	grep -qE 'BIND_NOW|FLAGS.*NOW' <<<"$header" || echo 'lazy binding'; grep -E 'GNU_STACK.* RWE' <<<"$header")"
verdict_done
