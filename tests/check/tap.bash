# For the checks: each property is one line of TAP, with what violates it below.
#
#   verdict DESCRIPTION VIOLATIONS      ok when VIOLATIONS is empty
#   verdict_done                        the plan line; exit status 1 when something was not ok

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
checked=0
violated=0

verdict() {
	checked=$((checked + 1))
	if [ -z "$2" ]; then
		echo "ok $checked - $1"
	else
		violated=$((violated + 1))
		echo "not ok $checked - $1"
		printf '%s\n' "$2" | head -n 40 | sed 's/^/# /'
	fi
}

verdict_done() {
	echo "1..$checked"
	[ $violated = 0 ]
	exit
}

# The tree's own files: kept in git, or about to be. sources GLOB...
sources() {
	git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do [ -f "$file" ] && echo "$file"; done
}
