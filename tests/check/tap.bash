# For the checks: each property is one line of TAP, with what violates it below.
#
#   verdict DESCRIPTION VIOLATIONS      ok when VIOLATIONS is empty
#   bounded DESCRIPTION LIMIT MEASURED KNOWN   ok up to LIMIT; a shortfall that is known is counted as skipped and shown with its
#                                       figure, and may not grow: above KNOWN it is not ok
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

bounded() {
	if [ "$3" -gt "$2" ] && [ "$3" -le "$4" ]; then
		checked=$((checked + 1))
		echo "ok $checked - $1 # skip known shortfall: $3, limit $2"
	else
		verdict "$1" "$([ "$3" -le "$2" ] || echo "$3, limit $2")"
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
