# The sample bundles of every released format: each reader reads them, whatever the day.
load server

setup() {
	cp -r "$ROOT/bundles/samples" "$BATS_TEST_TMPDIR/samples"
	chmod -R go-w "$BATS_TEST_TMPDIR/samples"
	cd "$BATS_TEST_TMPDIR/samples"
}

@test "version 1: audit verifies plan, approvals and records" {
	run pgdocket audit version-1.docket --trust trust
	[ "$status" = 0 ]
	[[ $output == *"planned by  alice@example.com"*"approved by bob@example.com"*"verified and complete: 6 of 6 schemas" ]]
}

@test "version 1: status and show read it" {
	run pgdocket status version-1.docket
	[ "$status" = 0 ]
	[[ $output == *"drift: tenant_0003"* ]]
	run pgdocket show version-1.docket --format sql
	[ "$status" = 0 ]
	[[ $output == *"7_comments.up.sql:1"* ]]
}
