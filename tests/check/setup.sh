#!/bin/bash
# tests/setup.sh against stand-ins for dpkg-query and apt-get (installing for real is what a fresh machine does): what it asks
# for, in which order, and that it is silent and quick when nothing is missing.
. "$(dirname "$0")/tap.bash"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
# dpkg-query knows all packages but those in $MISSING; apt-get records its arguments and installs only after an update if $STALE.
cat >"$bin/dpkg-query" <<'SH'
#!/bin/sh
shift 2
for p in "$@"; do case " $MISSING " in *" $p "*) ;; *) printf '%s=installed ' "$p" ;; esac; done
SH
cat >"$bin/apt-get" <<'SH'
#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >>"$LOG"
case $1 in update) : >"$LOG.updated" ;; install) [ -z "$STALE" ] || [ -f "$LOG.updated" ] || { echo 'E: no such package'; exit 100; } ;; esac
SH
printf '#!/bin/sh\necho "${ME:-0}"\n' >"$bin/id"
printf '#!/bin/sh\necho sudo >>"$LOG"; "$@"\n' >"$bin/sudo"
printf '#!/bin/sh\n' >"$bin/npm"
chmod +x "$bin"/*
export LOG=$bin/log
setup() { rm -f "$LOG" "$LOG.updated"; touch "$LOG"; env PATH="$bin:$PATH" "$@" tests/setup.sh 2>&1; }
expect() { [ "$2" = "$3" ] || printf '%s\nexpected: %s\ngot: %s\n' "$1" "$2" "$3"; }

began=$(date +%s%N)
said=$(setup MISSING=)
took=$((($(date +%s%N) - began) / 1000000))
verdict "nothing missing: nothing said, nothing installed" "$(expect output '' "$said"; expect log '' "$(cat "$LOG")")"
verdict "nothing missing: under 0.2 s" "$([ $took -lt 200 ] || echo "$took ms")"
said=$(setup MISSING='libinih-dev expect')
verdict "what is missing is named and installed" "$(grep -q 'missing Debian packages: libinih-dev expect' <<<"$said" || echo "$said"
	expect log 'noninteractive install -y --no-install-recommends libinih-dev expect' "$(cat "$LOG")")"
setup MISSING=bats STALE=1 >/dev/null
verdict "stale package lists are renewed once" "$(expect log 'noninteractive install -y --no-install-recommends bats
noninteractive update
noninteractive install -y --no-install-recommends bats' "$(cat "$LOG")")"
setup MISSING=bats ME=1000 >/dev/null
verdict "an ordinary user installs through sudo" "$(expect log 'sudo
noninteractive install -y --no-install-recommends bats' "$(cat "$LOG")")"
verdict_done
