# The proxy between applier and server, for sweeps that have sourced scenario.bash.
#
#     net_start [option|rule...]      the proxy of proxy.c, listening in $FAULT_DIR/net; its log in $FAULT_DIR/messages
#     net_stop
#     net_run [option...]             scenario_run through it
#     net_count DIRECTION             messages of a direction in the log
#     mine K                          whether point K is this process's: every STEP-th one (1), and SHARE i/n of those (0/1)

STEP=${STEP:-1}
SHARE=${SHARE:-0/1}
PROXY_PROGRAM=${PGDOCKET_BIN:-$ROOT/build}/fault/proxy

net_start() {
	mkdir -p "$FAULT_DIR/net"
	NET_PID=$("$PROXY_PROGRAM" --listen "$FAULT_DIR/net" --server "$PGD_DIR" --log "$FAULT_DIR/messages" "$@")
}

net_stop() {
	[ -n "${NET_PID:-}" ] || return 0
	kill "$NET_PID" 2>/dev/null
	NET_PID=
}

net_run() {
	scenario_run -h "$FAULT_DIR/net" "$@"
}

net_count() {
	grep -c "^$1 " "$FAULT_DIR/messages"
}

mine() {
	[ $(($1 % STEP)) = 0 ] && [ $(($1 / STEP % ${SHARE#*/})) = "${SHARE%/*}" ]
}
