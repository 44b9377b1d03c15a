#!/usr/bin/env bats
# pgdocket trust, sign, approve: policy directories, signatures made here and elsewhere, questions on a terminal. The bundle
# is made with sqlite3 from schema.sql and holds nothing but a plan, so these tests need no server.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export PATH=${PGDOCKET_BIN:-$ROOT/build}:$PATH
export NO_COLOR=1

setup() {
	cd "$BATS_TEST_TMPDIR"
	umask 022
	cp "$BATS_FILE_TMPDIR"/keys/* .
	cp "$BATS_FILE_TMPDIR/b.docket" .
}

setup_file() {
	local d=$BATS_FILE_TMPDIR
	mkdir "$d/keys"
	ssh-keygen -q -t ed25519 -N '' -C alice -f "$d/keys/alice"
	ssh-keygen -q -t ed25519 -N '' -C bob -f "$d/keys/bob"
	ssh-keygen -q -t ed25519 -N secret -C carol -f "$d/keys/locked"
	statement "$d/statement"
	bundle "$d/b.docket" "$d/statement"
}

statement() {
	cat >"$1" <<-END
		pgdocket-plan/1
		document: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 4711
		targets: 1
		target: prod-1 7321987654321098765 16384 shop 15 any
		schemas: 50
		statements: 612
		destructive: 2
		created: $(date -u +%FT%TZ)
		not-before: $(date -u +%FT%TZ)
		expires: $(date -u -d '+7 days' +%FT%TZ)
		ticket: CHG0012345
		nonce: $(openssl rand -hex 16)
		end
	END
}

# bundle FILE [STATEMENT]: our tables, and a plan when there is a statement.
bundle() {
	{
		echo 'PRAGMA page_size=4096; PRAGMA encoding="UTF-8"; PRAGMA application_id=0x7067646b; PRAGMA user_version=1;'
		echo 'BEGIN;'
		cat "$ROOT/bundles/schema.sql"
		if [ -n "${2:-}" ]; then
			echo "INSERT INTO plan VALUES (1, x'$(xxd -p "$2" | tr -d '\n')', zeroblob(32));"
		fi
		echo 'COMMIT;'
	} | sqlite3 "$1"
}

rows() { sqlite3 "$1" "SELECT count(*) FROM signature"; }

# on_terminal ANSWER COMMAND...: the command's output, on a pseudo-terminal; its exit code is kept.
on_terminal() {
	local answer=$1
	shift
	expect -c "
		set timeout 20
		log_user 1
		spawn -noecho $*
		expect {
			\"yes or no:\" { send \"$answer\r\"; exp_continue }
			timeout { exit 99 }
			eof
		}
		exit [lindex [wait] 3]"
}

# --- trust init, trust add ---

@test "trust init writes a policy directory and shows one fingerprint" {
	run pgdocket trust init pol --label prod-1
	[ "$status" = 0 ]
	[ "$(grep -o 'SHA256:' <<<"$output" | wc -l)" = 1 ]
	fingerprint=$(grep -oE 'SHA256:[A-Za-z0-9+/]{43}' <<<"$output")
	openssl pkey -in pol/host_key.pem -pubout -outform DER | tail -c 32 >point
	{ printf '\0\0\0\013ssh-ed25519\0\0\0\040'; cat point; } | base64 -w0 >blob
	echo "ssh-ed25519 $(cat blob)" >host.pub
	[ "$(ssh-keygen -lf host.pub | cut -d' ' -f2)" = "$fingerprint" ]
	[ "$(stat -c %a pol pol/policy.conf pol/allowed_signers pol/revoked_keys pol/revoked_plans pol/host_key.pem | xargs)" = \
		"755 644 644 644 644 600" ]
	grep -qx 'label: prod-1' pol/policy.conf
	grep -qx 'require: plan 1' pol/policy.conf
	grep -qx 'require: approve 1' pol/policy.conf
	# everything else is a comment that shows a default
	[ "$(grep -cE '^[a-z]' pol/policy.conf)" = 3 ]
}

@test "trust init: modes hold under any umask" {
	umask 077
	pgdocket trust init pol --label prod-1
	[ "$(stat -c %a pol pol/policy.conf pol/host_key.pem | xargs)" = "755 644 600" ]
	rm -r pol
	umask 000
	pgdocket trust init pol --label prod-1
	[ "$(stat -c %a pol pol/policy.conf pol/host_key.pem | xargs)" = "755 644 600" ]
}

@test "trust init overwrites nothing" {
	mkdir pol
	pgdocket trust init pol --label prod-1
	before=$(cat pol/*)
	run pgdocket trust init pol --label prod-2
	[ "$status" = 1 ]
	[[ $output == *"is there already"*hint:* ]]
	[ "$(cat pol/*)" = "$before" ]
}

@test "trust init: every commented key is one that the reader knows" {
	pgdocket trust init pol --label prod-1
	sed -i -E 's/^#([a-z-]+:)/\1/' pol/policy.conf
	run pgdocket trust add pol --role planner --principal alice@x --key alice.pub
	[ "$status" = 0 ]
}

@test "trust init: usage" {
	run pgdocket trust init pol
	[ "$status" = 2 ]
	[[ $output == *--label*hint:* ]]
	run pgdocket trust init --label x
	[ "$status" = 2 ]
	run pgdocket trust init pol --label ''
	[ "$status" = 2 ]
	run pgdocket trust init no/such/pol --label x
	[ "$status" = 1 ]
	[[ $output == *hint:* ]]
	run pgdocket trust
	[ "$status" = 2 ]
	run pgdocket trust fly
	[ "$status" = 2 ]
	[ ! -e pol ]
}

@test "trust --help names both" {
	run pgdocket trust --help
	[ "$status" = 0 ]
	[[ $output == *"trust init DIR"*"--label"*"trust add DIR"*"--role"* ]]
	for words in "trust init" "trust add" sign approve; do
		run pgdocket $words --help
		[ "$status" = 0 ]
		[[ $output == "Usage: pgdocket $words"* ]]
	done
}

@test "trust init and add as JSON" {
	run --separate-stderr pgdocket trust init pol --label 'prod "1"' --json
	[ "$status" = 0 ]
	[ "$(jq -r .label <<<"$output")" = 'prod "1"' ]
	jq -re .fingerprint <<<"$output" | grep -qE '^SHA256:.{43}$'
	run --separate-stderr pgdocket trust add pol --role host --principal h --key bob.pub --json
	[ "$(jq -c '[.principal, .role, .added]' <<<"$output")" = '["h","host",true]' ]
}

@test "trust add lets ssh-keygen verify, in its role only" {
	pgdocket trust init pol --label prod-1
	pgdocket trust add pol --role approver --principal bob@x --key bob.pub
	echo hello >m
	for n in approve.v1@pgdocket plan.v1@pgdocket; do
		rm -f m.sig
		ssh-keygen -q -Y sign -n $n -f bob m
		run ssh-keygen -Y verify -f pol/allowed_signers -r pol/revoked_keys -I bob@x -n $n -s m.sig <m
		if [ $n = approve.v1@pgdocket ]; then [ "$status" = 0 ]; else [ "$status" != 0 ]; fi
	done
	# a second role is a second line; ssh-keygen then knows both
	pgdocket trust add pol --role planner --principal bob@x --key bob.pub
	ssh-keygen -Y verify -f pol/allowed_signers -I bob@x -n plan.v1@pgdocket -s m.sig <m
}

@test "trust add refuses what would not be one person's key for one role" {
	pgdocket trust init pol --label prod-1
	pgdocket trust add pol --role approver --principal bob@x --key bob.pub
	before=$(cat pol/allowed_signers)
	run pgdocket trust add pol --role approver --principal bob@x --key bob.pub
	[ "$status" = 0 ]
	[[ $output == *already* ]]
	run pgdocket trust add pol --role planner --principal eve@x --key bob.pub
	[ "$status" = 3 ]
	[[ $output == *"another principal"*"bob@x"*"remove that line, or use another key"* ]]
	run pgdocket trust add pol --role approver --principal '*@x' --key alice.pub
	[ "$status" = 2 ]
	run pgdocket trust add pol --role cook --principal a --key alice.pub
	[ "$status" = 2 ]
	[[ $output == *"planner, approver or host"* ]]
	run pgdocket trust add pol --role approver --principal a
	[ "$status" = 2 ]
	run pgdocket trust add pol --role approver --principal a --key nowhere.pub
	[ "$status" = 1 ]
	run pgdocket trust add pol --role approver --principal a --key alice
	[ "$status" = 3 ]
	[[ $output == *"alice is a private key"*.pub* ]]
	ssh-keygen -q -t rsa -b 2048 -N '' -f rsa
	run pgdocket trust add pol --role approver --principal a --key rsa.pub
	[ "$status" = 3 ]
	[[ $output == *'unsupported key type "ssh-rsa"'* ]]
	run pgdocket trust add nowhere --role approver --principal a --key alice.pub
	[ "$status" = 3 ]
	[ "$(cat pol/allowed_signers)" = "$before" ]
}

@test "trust add to a policy with a wrong line says which" {
	pgdocket trust init pol --label prod-1
	echo 'sikrit: yes' >>pol/policy.conf
	run pgdocket trust add pol --role approver --principal a --key alice.pub
	[ "$status" = 3 ]
	[[ $output == *"pol/policy.conf, line "*'"sikrit"'* ]]
}

# --- sign ---

@test "sign prints the plan's id and the key, and ssh-keygen verifies what it wrote" {
	id=$(sha256sum "$BATS_FILE_TMPDIR/statement" | cut -c1-12)
	run pgdocket sign b.docket --key alice --principal alice@x
	[ "$status" = 0 ]
	[[ $output == *"$id"*"$(ssh-keygen -lf alice.pub | cut -d' ' -f2)"* ]]
	sqlite3 b.docket "SELECT writefile('m', body), writefile('blob', signature) FROM signature WHERE namespace = 'plan.v1@pgdocket'"
	{ echo '-----BEGIN SSH SIGNATURE-----'; base64 -w 70 blob; echo '-----END SSH SIGNATURE-----'; } >m.sig
	echo "alice@x $(cat alice.pub)" >signers
	ssh-keygen -Y verify -f signers -I alice@x -n plan.v1@pgdocket -s m.sig <m
	cmp m "$BATS_FILE_TMPDIR/statement"
}

@test "signing twice says so and adds nothing" {
	pgdocket sign b.docket --key alice --principal alice@x
	before=$(sha256sum <b.docket)
	run pgdocket sign b.docket --key alice --principal alice@x
	[ "$status" = 0 ]
	[[ $output == *"was already signed with SHA256:"*"; nothing added" && $output != *alice@x* ]]
	[ "$(sha256sum <b.docket)" = "$before" ]
	pgdocket sign b.docket --key bob --principal bob@x
	[ "$(rows b.docket)" = 2 ]
}

@test "sign without a plan" {
	bundle empty.docket
	for command in sign approve; do
		run pgdocket $command empty.docket --key alice --principal alice@x
		[ "$status" = 1 ]
		[[ $output == *"no plan"*"hint: pgdocket plan"* ]]
	done
	run pgdocket sign nowhere.docket --key alice
	[ "$status" = 1 ]
	echo hello >text
	run pgdocket sign text --key alice
	[ "$status" = 3 ]
}

@test "sign with a key that cannot be used names the way out" {
	run pgdocket sign b.docket --key locked --principal carol@x
	[ "$status" = 2 ]
	[[ $output == *passphrase*hint:*--export*--import* ]]
	run pgdocket sign b.docket --key alice.pub
	[ "$status" = 2 ]
	[[ $output == *"alice.pub is a public key; give the private key alice"* && $output != *chmod* ]]
	[[ $output == *hint:* ]]
	chmod 644 alice
	run pgdocket sign b.docket --key alice
	[ "$status" = 2 ]
	[[ $output == *"chmod 600"* ]]
	run pgdocket sign b.docket
	[ "$status" = 2 ]
	[[ $output == *--export* ]]
	run pgdocket sign b.docket --key bob --import x.sig
	[ "$status" = 2 ]
	[ "$(rows b.docket)" = 0 ]
}

@test "sign --export, ssh-keygen, --import" {
	run pgdocket sign b.docket --export plan.txt
	[ "$status" = 0 ]
	[[ $output == *"ssh-keygen -Y sign -n plan.v1@pgdocket"* ]]
	cmp plan.txt "$BATS_FILE_TMPDIR/statement"
	ssh-keygen -q -Y sign -n plan.v1@pgdocket -f bob plan.txt
	sed -i 's/$/\r/' plan.txt.sig # as mail leaves it
	run pgdocket sign b.docket --import plan.txt.sig
	[ "$status" = 0 ]
	[[ $output == *signed*"$(ssh-keygen -lf bob.pub | cut -d' ' -f2)"* ]]
	[ "$(rows b.docket)" = 1 ]
	run pgdocket sign b.docket --import plan.txt.sig
	[ "$status" = 0 ]
	[[ $output == *already* ]]
	# exporting again is no harm, exporting over something else is
	pgdocket sign b.docket --export plan.txt
	echo mine >plan.txt
	run pgdocket sign b.docket --export plan.txt
	[ "$status" = 1 ]
	[ "$(cat plan.txt)" = mine ]
}

@test "sign --import refuses what does not fit" {
	pgdocket sign b.docket --export plan.txt
	ssh-keygen -q -Y sign -n git -f bob plan.txt
	run pgdocket sign b.docket --import plan.txt.sig
	[ "$status" = 3 ]
	[[ $output == *'namespace "git"'* ]]
	rm plan.txt.sig
	echo >>plan.txt
	ssh-keygen -q -Y sign -n plan.v1@pgdocket -f bob plan.txt
	run pgdocket sign b.docket --import plan.txt.sig
	[ "$status" = 3 ]
	[[ $output == *"does not fit"* ]]
	echo nonsense >plan.txt.sig
	run pgdocket sign b.docket --import plan.txt.sig
	[ "$status" = 3 ]
	run pgdocket sign b.docket --import nowhere.sig
	[ "$status" = 1 ]
	[ "$(rows b.docket)" = 0 ]
}

@test "sign takes a PKCS#8 PEM key too" {
	openssl genpkey -algorithm ed25519 -out ci.pem
	chmod 600 ci.pem
	pgdocket sign b.docket --key ci.pem --principal ci@x
	[ "$(rows b.docket)" = 1 ]
}

@test "sign as JSON" {
	run --separate-stderr pgdocket sign b.docket --key alice --principal alice@x --json
	[ "$(jq -c '[.did, .principal, .added, (.plan | length)]' <<<"$output")" = '["signed","alice@x",true,64]' ]
	run --separate-stderr pgdocket sign b.docket --json
	[ "$status" = 2 ]
	[ "$(jq -r .exit <<<"$stderr")" = 2 ]
}

# --- approve ---

vote() { sqlite3 b.docket "SELECT CAST(body AS TEXT) FROM signature WHERE namespace = 'approve.v1@pgdocket'"; }

@test "approve writes a statement that names plan, person, expiry and ticket" {
	run pgdocket approve b.docket --key bob --principal bob@x --comment 'looks good; go'
	[ "$status" = 0 ]
	[[ $output == "plan "*" approved with SHA256:"*" as bob@x" ]]
	plan=$BATS_FILE_TMPDIR/statement
	vote | grep -qx "plan: sha256:$(sha256sum "$plan" | cut -d' ' -f1)"
	vote | grep -qx 'decision: approve'
	vote | grep -qx 'approver: bob@x'
	vote | grep -qx 'ticket: CHG0012345'
	vote | grep -qx 'comment: looks%20good%3B%20go'
	[ "$(vote | grep ^expires)" = "$(grep ^expires "$plan")" ]
}

@test "approving twice adds nothing; rejecting later does" {
	pgdocket approve b.docket --key bob --principal bob@x
	vote | grep -qx 'comment: none'
	run pgdocket approve b.docket --key bob --principal bob@x
	[ "$status" = 0 ]
	[[ $output == *already*"nothing added"* ]]
	[ "$(rows b.docket)" = 1 ]
	run pgdocket approve b.docket --key bob --principal bob@x --reject --comment 'locks users'
	[ "$status" = 0 ]
	[[ $output == *rejected* ]]
	[ "$(rows b.docket)" = 2 ]
}

@test "approve --expires shortens, never lengthens" {
	pgdocket approve b.docket --key bob --principal bob@x --expires 2h
	[ "$(vote | sed -n 's/^expires: //p')" \< "$(date -u -d '+3 hours' +%FT%TZ)" ]
	[ "$(vote | sed -n 's/^expires: //p')" \> "$(date -u -d '+1 hours' +%FT%TZ)" ]
	run pgdocket approve b.docket --key bob --principal bob@x --expires 30d
	[ "$status" = 2 ]
	[[ $output == *"only shortens"* ]]
	# a longer approval than the one that is there is worth a row
	pgdocket approve b.docket --key bob --principal bob@x
	[ "$(rows b.docket)" = 2 ]
}

@test "approve: usage" {
	run pgdocket approve b.docket --key bob
	[ "$status" = 2 ]
	[[ $output == *--principal* ]]
	run pgdocket approve b.docket --principal bob@x
	[ "$status" = 2 ]
	run pgdocket approve b.docket --key bob --principal bob@x --comment "$(printf '%0600d' 1)"
	[ "$status" = 2 ]
	run pgdocket approve b.docket --key bob --principal bob@x --comment $'\xff'
	[ "$status" = 2 ]
	run pgdocket approve b.docket --import x.sig --reject
	[ "$status" = 2 ]
	run pgdocket approve b.docket --import x
	[ "$status" = 2 ]
	[[ $output == *--statement* ]]
	[ "$(rows b.docket)" = 0 ]
}

@test "approve --export, ssh-keygen, --import" {
	run pgdocket approve b.docket --principal bob@x --reject --comment no --export vote.txt
	[ "$status" = 0 ]
	[[ $output == *"ssh-keygen -Y sign -n approve.v1@pgdocket"* ]]
	[ "$(rows b.docket)" = 0 ]
	ssh-keygen -q -Y sign -n approve.v1@pgdocket -f bob vote.txt
	run pgdocket approve b.docket --import vote.txt.sig --principal eve@x
	[ "$status" = 3 ]
	run pgdocket approve b.docket --import vote.txt.sig
	[ "$status" = 0 ]
	[[ $output == *" rejected with SHA256:"*" as bob@x"* ]]
	run pgdocket approve b.docket --import vote.txt.sig
	[[ $output == *already* ]]
	mv vote.txt elsewhere
	run pgdocket approve b.docket --import vote.txt.sig
	[ "$status" = 1 ]
	pgdocket approve b.docket --import vote.txt.sig --statement elsewhere
	[ "$(rows b.docket)" = 1 ]
}

@test "approve --import refuses another plan's vote and altered ones" {
	pgdocket approve b.docket --principal bob@x --export vote.txt
	ssh-keygen -q -Y sign -n approve.v1@pgdocket -f bob vote.txt
	statement other
	bundle other.docket other
	run pgdocket approve other.docket --import vote.txt.sig
	[ "$status" = 3 ]
	[[ $output == *"another plan"* ]]
	sed -i 's/bob@x/eve@x/' vote.txt
	run pgdocket approve b.docket --import vote.txt.sig
	[ "$status" = 3 ]
	[[ $output == *"does not fit"* ]]
	sed -i 's/decision: approve/decision:  approve/' vote.txt
	run pgdocket approve b.docket --import vote.txt.sig
	[ "$status" = 3 ]
	[ "$(rows b.docket)" = 0 ]
}

@test "a bundle with files beside it is refused and left alone" {
	: >b.docket-journal
	run pgdocket sign b.docket --key alice
	[ "$status" = 3 ]
	[ -e b.docket-journal ]
}

# --- on a terminal ---

@test "sign on a terminal shows the plan and signs on yes" {
	run on_terminal yes pgdocket sign b.docket --key alice --principal alice@x
	[ "$status" = 0 ]
	[[ $output == *"prod-1"*"schemas"*"50"*"612"*"2 of them destructive"*"CHG0012345"*"yes or no:"*"signed"* ]]
	[ "$(rows b.docket)" = 1 ]
	# what is signed already is not asked about
	run on_terminal no pgdocket sign b.docket --key alice --principal alice@x
	[ "$status" = 0 ]
	[[ $output == *already* ]]
	[[ $output != *"yes or no:"* ]]
}

@test "sign on a terminal does nothing on any other answer" {
	for answer in no y YES ''; do
		run on_terminal "$answer" pgdocket sign b.docket --key alice --principal alice@x
		[ "$status" = 1 ]
		[[ $output == *"not signed"*hint:* ]]
	done
	[ "$(rows b.docket)" = 0 ]
}

@test "approve on a terminal says what it is about to sign; --yes asks nothing" {
	run on_terminal yes pgdocket approve b.docket --key bob --principal bob@x --reject --comment never
	[ "$status" = 0 ]
	[[ $output == *"REJECTION by bob@x"*"never"*"rejected"* ]]
	run on_terminal no pgdocket approve b.docket --key bob --principal bob@x --yes
	[ "$status" = 0 ]
	[[ $output != *"yes or no:"* ]]
	[ "$(rows b.docket)" = 2 ]
}

@test "names that could move the cursor are shown escaped" {
	sed 's/ shop / %1B%5B2Jshop%E2%80%AE /' "$BATS_FILE_TMPDIR/statement" >evil
	bundle evil.docket evil
	run on_terminal yes pgdocket sign evil.docket --key alice --principal alice@x
	[ "$status" = 0 ]
	[[ $output == *'\x1B[2Jshop\xE2\x80\xAE'* ]]
	[[ $output != *$'\x1b[2J'* ]]
}
