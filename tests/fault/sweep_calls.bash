#!/bin/bash
# C01 to C04, R03, R04: strace in front of a run, which at the n-th call of each kind kills it, or lets that call fail. The calls
# of a fault-free run are counted first, from where the program's own code begins. Only points that were hit are counted.
#
#     KINDS="kill EIO ENOSPC EDQUOT EINTR again forever"   again: killed, and killed once more in the run that follows;
#                                                           forever: EIO at this call and at every one behind it
#     CALLS="pwrite64 rename"                               default: all that a run makes of those below
# Ends with "points=N violations=M".
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"

KINDS=${KINDS:-kill EIO ENOSPC EDQUOT EINTR forever again}
FILES='openat newfstatat fstat read pread64 write pwrite64 fdatasync fsync ftruncate unlink rename renameat2 flock fcntl close mkdir rmdir
	fchown chown fchmod chmod statfs fstatfs access faccessat2 lseek readlink getcwd'
SOCKETS='socket connect sendto recvfrom poll getsockopt getsockname getrandom'
declare -A calls_of=(
	[kill]="$FILES $SOCKETS"
	[again]="pwrite64 fdatasync fsync unlink rename sendto recvfrom"
	[EIO]="$FILES sendto recvfrom"
	[ENOSPC]="openat write pwrite64 fdatasync fsync ftruncate rename renameat2 mkdir unlink close"
	[EDQUOT]="openat write pwrite64 fdatasync mkdir"
	[EINTR]="openat read write pread64 pwrite64 flock poll connect sendto recvfrom close fdatasync fsync"
	[forever]="pread64 pwrite64 fdatasync fsync openat unlink rename write")

run_traced() {
	strace -f -qq -o "$FAULT_DIR/trace" "$@" "${SCENARIO_RUN[@]}" -j 1 >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null
}

# CALL NUMBER FD of each call, as numbered by strace, from umask on: main's first.
calls() {
	sed -E 's/^[0-9]+ +//' "$FAULT_DIR/trace" | awk -F '[(,)]' '/^[a-z]/ { n[$1]++; if ($1 == "umask") begun = 1; if (begun) print $1, n[$1], $2 }'
}

inject() {
	case $1 in
	kill | again) echo "$2:signal=SIGKILL:when=$3" ;;
	forever) echo "$2:error=EIO:when=$3+" ;;
	*) echo "$2:error=$1:when=$3" ;;
	esac
}

# The second blow, in the run that recovers: at a call that depends on the first, so that all pairs come up in time.
strike_again() {
	local call=fdatasync
	[ $(($1 % 2)) = 0 ] || call=sendto
	run_traced -e trace=$call -e "inject=$call:signal=SIGKILL:when=$(($1 * 7 % 24 + 1))" 2>/dev/null
}

try() {
	local kind=$1 call=$2 n=$3 status=0 killed= filter=
	scenario_reset
	# strace sees only this call when it may filter, which is faster; but then it sends no signals.
	[ "$kind" = kill ] || [ "$kind" = again ] || filter=--seccomp-bpf
	run_traced $filter -e "trace=$call" -e "inject=$(inject "$kind" "$call" "$n")" 2>/dev/null || status=$?
	[ "$kind" != again ] || { [ $status = 137 ] && status=0 && { strike_again "$n" || status=$?; }; }
	case $kind in
	kill) [ $status = 137 ] && killed=killed || return 0 ;;
	again) killed=killed ;;
	*) grep -q INJECTED "$FAULT_DIR/trace" || return 0 ;;
	esac
	oracle_point "$kind $call $n" $status $killed
}

scenario_start ${SCENARIO:-}
scenario_reset
run_traced || exit 1
calls >"$FAULT_DIR/calls"
[ "${SHARE%/*}" != 0 ] || echo "calls of a run: $(wc -l <"$FAULT_DIR/calls")"
point=0
for kind in $KINDS; do
	while read -r call n fd <&3; do
		[[ " ${CALLS:-${calls_of[$kind]}} " == *[[:space:]]"$call"[[:space:]]* ]] || continue
		# What cannot be said cannot be checked: C06 closes stdout and stderr.
		[ "$call$fd" != write1 ] && [ "$call$fd" != write2 ] || [ "$kind" = kill ] || continue
		point=$((point + 1))
		! mine $point || try "$kind" "$call" "$n"
	done 3<"$FAULT_DIR/calls"
done
oracle_summary
