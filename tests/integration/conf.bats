# pgdocket.conf as commands meet it; every message of the file itself is in tests/unit/test_conf.c.
load server

setup() {
	project_new "$BATS_TEST_TMPDIR/shop"
}

@test "a wrong key: file, line, which keys there are; exit 2, before any connection" {
	sed -i 's/^label/lable/' pgdocket.conf
	run pgdocket snapshot -o a.docket -d 'host=/nonexistent'
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: pgdocket.conf:2: [target] has no key "lable"\nhint: its keys are label, apply_host' ]
	[ ! -e a.docket ]
}

@test "errors as JSON" {
	sed -i 's/^label/lable/' pgdocket.conf
	run pgdocket snapshot -o a.docket -d x --json
	[ "$status" -eq 2 ]
	[ "$(jq -r .message <<<"$output")" = 'pgdocket.conf:2: [target] has no key "lable"' ]
	[ "$(jq -r .exit <<<"$output")" = 2 ]
}

@test "no configuration" {
	rm pgdocket.conf
	run pgdocket snapshot -o a.docket -d x
	[ "$status" -eq 2 ]
	[[ $output == *'cannot open pgdocket.conf: No such file or directory'* ]]
	[[ $output == *'hint: pgdocket.conf is looked for in the working folder; --config names another'* ]]
}

@test "migrations that cannot be read stop a snapshot before it connects" {
	cp migrations/2_campaigns.up.sql migrations/2_again.up.sql
	run pgdocket snapshot -o a.docket -d 'host=/nonexistent'
	[ "$status" -eq 2 ]
	[[ $output == *2_again.up.sql* && $output == *2_campaigns.up.sql* ]]
}
