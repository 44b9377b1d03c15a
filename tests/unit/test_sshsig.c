/* SSHSIG: what stock ssh-keygen makes is accepted, what is made here it accepts, and every forgery is refused. */
#include "file.h"
#include "trust_fixture.h"

#define MESSAGE "what was signed\n"
#define MESSAGE_LEN (sizeof MESSAGE - 1)

static struct err err = ERR_INIT;
static struct test_key key;

static void start(void)
{
	scratch_make();
	key = test_key_new();
}

static void stop(void)
{
	test_key_free(&key);
	scratch_drop();
}
TestSuite(sshsig, .init = start, .fini = stop);

static int run(const char *command)
{
	int status = system(command);
	return status;
}

static int verify(const struct buf *blob)
{
	struct ssh_public_key maker;
	err_clear(&err);
	return sshsig_verify((const uint8_t *)blob->data, blob->len, SAMPLE_NAMESPACE, MESSAGE, MESSAGE_LEN, &maker, &err);
}

static int verify_forgery(const struct forgery *f)
{
	struct buf blob = BUF_INIT(65536);
	forge(&key, f, MESSAGE, MESSAGE_LEN, &blob);
	int result = verify(&blob);
	buf_release(&blob);
	return result;
}

Test(sshsig, the_honest_form_is_accepted)
{
	struct forgery none = { 0 }, sha256 = { .hash = "sha256" };
	cr_assert_eq(verify_forgery(&none), 0, "%s", err.message);
	cr_assert_eq(verify_forgery(&sha256), 0, "%s", err.message);
}

#define REFUSES(name, says, ...) \
	Test(sshsig, name) \
	{ \
		struct forgery forgery = { __VA_ARGS__ }; \
		cr_assert_eq(verify_forgery(&forgery), -1, "accepted"); \
		cr_assert_eq(err.code, ERR_REFUSED); \
		cr_assert_str_eq(err.reason, "signature"); \
		cr_assert(strstr(err.message, says), "%s", err.message); \
	}

static const uint8_t zero_point[33] = { 0 };
static const uint8_t one_point[32] = { 1 };
static const uint8_t one_point_negative[32] = { 1, [31] = 0x80 };
static const uint8_t order_8[32] = { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                                     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                                     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 };
static const uint8_t order_8_other[32] = { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                                           0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                                           0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa };
static const uint8_t minus_one[32] = { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
static const uint8_t spelled_twice[32] = { 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };

REFUSES(version_0, "version", .version = 1)
REFUSES(version_2, "version", .version = 3)
REFUSES(another_magic, "begin with SSHSIG", .magic = "SSHSIH")
REFUSES(reserved_not_empty, "reserved", .reserved = "EVIL")
REFUSES(namespace_of_another_role, "namespace \"approve.v1@pgdocket\"", .name_space = "approve.v1@pgdocket")
REFUSES(namespace_git, "namespace \"git\"", .name_space = "git")
REFUSES(namespace_file, "namespace \"file\"", .name_space = "file")
REFUSES(namespace_empty, "namespace \"\"", .name_space = "")
REFUSES(namespace_longer, "namespace", .name_space = SAMPLE_NAMESPACE "x")
REFUSES(namespace_in_other_case, "namespace", .name_space = "Plan.v1@pgdocket")
REFUSES(namespace_outside_only, "does not fit", .inner_name_space = "git")
REFUSES(hash_sha1, "hash", .hash = "sha1")
REFUSES(hash_in_other_case, "hash", .hash = "SHA512")
REFUSES(bytes_behind_the_blob, "behind its end", .tail = "x")
REFUSES(bytes_behind_the_key, "not 32 bytes", .key_tail = "x")
REFUSES(bytes_behind_the_signature, "not 64 bytes", .signature_tail = "x")
REFUSES(types_differ, "different types", .signature_type = "sk-ssh-ed25519@openssh.com")
REFUSES(type_longer, "unsupported key type \"ssh-ed25519x\"", .key_type = "ssh-ed25519x")
REFUSES(type_with_escape, "unsupported key type \"\\x1B[2J\"", .key_type = "\x1b[2J")
REFUSES(rsa, "unsupported key type \"ssh-rsa\"", .key_type = "ssh-rsa")
REFUSES(dss, "unsupported key type \"ssh-dss\"", .key_type = "ssh-dss")
REFUSES(ecdsa_has_no_row_yet, "unsupported key type \"ecdsa-sha2-nistp256\"", .key_type = "ecdsa-sha2-nistp256")
REFUSES(sk_has_no_row_yet, "unsupported key type \"sk-ssh-ed25519@openssh.com\"",
        .key_type = "sk-ssh-ed25519@openssh.com")
REFUSES(certificate, "unsupported key type \"ssh-ed25519-cert-v01@openssh.com\"",
        .key_type = "ssh-ed25519-cert-v01@openssh.com")
REFUSES(webauthn, "unsupported key type \"webauthn-sk-ecdsa-sha2-nistp256@openssh.com\"",
        .key_type = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com")
REFUSES(mldsa, "unsupported key type \"ssh-mldsa44-ed25519@openssh.com\"",
        .key_type = "ssh-mldsa44-ed25519@openssh.com")
REFUSES(point_of_31_bytes, "not 32 bytes", .point_len = 31)
REFUSES(point_of_33_bytes, "not 32 bytes", .point = zero_point, .point_len = 33)
REFUSES(signature_of_63_bytes, "not 64 bytes", .signature_len = 63)
REFUSES(signature_of_65_bytes, "not 64 bytes", .signature_len = 65)
REFUSES(s_plus_order, "does not fit", .add_order = true)
REFUSES(small_order_0, "small order", .point = zero_point)
REFUSES(small_order_1, "small order", .point = one_point)
REFUSES(small_order_1_negative, "small order", .point = one_point_negative)
REFUSES(small_order_8, "small order", .point = order_8)
REFUSES(small_order_8_other, "small order", .point = order_8_other)
REFUSES(small_order_2, "small order", .point = minus_one)
REFUSES(key_not_canonical, "canonical", .point = spelled_twice)

Test(sshsig, another_message)
{
	struct forgery none = { 0 };
	struct buf blob = BUF_INIT(65536);
	struct ssh_public_key maker;
	forge(&key, &none, "another message\n", 16, &blob);
	FAILS(sshsig_verify((uint8_t *)blob.data, blob.len, SAMPLE_NAMESPACE, MESSAGE, MESSAGE_LEN, &maker, &err), ERR_REFUSED);
	buf_release(&blob);
}

Test(sshsig, every_flipped_bit_and_every_cut)
{
	struct forgery none = { 0 };
	struct buf blob = BUF_INIT(65536);
	forge(&key, &none, MESSAGE, MESSAGE_LEN, &blob);
	for (size_t i = 0; i < blob.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			blob.data[i] = (char)(blob.data[i] ^ 1 << bit);
			cr_assert_eq(verify(&blob), -1, "byte %zu bit %d", i, bit);
			blob.data[i] = (char)(blob.data[i] ^ 1 << bit);
		}
	size_t whole = blob.len;
	for (blob.len = 0; blob.len < whole; blob.len++)
		cr_assert_eq(verify(&blob), -1, "cut at %zu", blob.len);
	cr_assert_eq(verify(&blob), 0);
	buf_release(&blob);
}

Test(sshsig, lengths_that_lie)
{
	struct forgery none = { 0 };
	struct buf blob = BUF_INIT(65536);
	forge(&key, &none, MESSAGE, MESSAGE_LEN, &blob);
	memcpy(blob.data + 10, "\xff\xff\xff\xff", 4);
	cr_assert_eq(verify(&blob), -1);
	memcpy(blob.data + 10, "\x7f\xff\xff\xff", 4);
	cr_assert_eq(verify(&blob), -1);
	buf_release(&blob);
	struct buf large = BUF_INIT(65536);
	struct forgery tail = { 0 };
	char *more = malloc(20000);
	memset(more, 'x', 19999);
	more[19999] = '\0';
	tail.tail = more;
	forge(&key, &tail, MESSAGE, MESSAGE_LEN, &large);
	cr_assert_eq(verify(&large), -1);
	free(more);
	buf_release(&large);
}

/* --- with the real ssh-keygen --- */

static void write_text(const char *path, const char *text)
{
	OK(file_create(path, 0600, text, strlen(text), &err));
}

static void read_blob(const char *path, struct buf *blob)
{
	struct buf text = BUF_INIT(65536);
	OK(file_read(path, 0, &text, &err));
	OK(sshsig_dearmor(text.data, text.len, blob, &err));
	buf_release(&text);
}

static void read_private(const char *path, struct ssh_private_key **out)
{
	struct buf text = BUF_INIT(65536);
	OK(file_read(path, 0, &text, &err));
	OK(ssh_private_key_parse(text.data, text.len, out, &err));
	buf_release(&text);
}

Test(sshsig, what_ssh_keygen_signs_is_accepted)
{
	struct ssh_public_key maker, public;
	struct buf line = BUF_INIT(65536);
	cr_assert_eq(run("ssh-keygen -q -t ed25519 -N '' -C 'bob of dba' -f k"), 0);
	OK(file_read("k.pub", 0, &line, &err));
	OK(ssh_public_key_parse(line.data, line.len, &public, &err));
	write_text("m", MESSAGE);
	static const char *const hashes[] = { "sha512", "sha256" };
	for (int i = 0; i < 2; i++) {
		struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
		char command[200];
		snprintf(command, sizeof command, "rm -f m.sig; ssh-keygen -q -Y sign -O hashalg=%s -n %s -f k m 2>/dev/null", hashes[i],
		         SAMPLE_NAMESPACE);
		cr_assert_eq(run(command), 0);
		read_blob("m.sig", &blob);
		OK(sshsig_verify((uint8_t *)blob.data, blob.len, SAMPLE_NAMESPACE, MESSAGE, MESSAGE_LEN, &maker, &err));
		cr_assert_eq(maker.blob_len, public.blob_len);
		cr_assert_eq(memcmp(maker.blob, public.blob, public.blob_len), 0);
		/* And its armor is written as ssh-keygen writes it. */
		struct buf armor = BUF_INIT(65536), theirs = BUF_INIT(65536);
		OK(sshsig_armor((uint8_t *)blob.data, blob.len, &armor, &err));
		OK(file_read("m.sig", 0, &theirs, &err));
		cr_assert_str_eq(armor.data, theirs.data);
		buf_release(&armor);
		buf_release(&theirs);
		buf_release(&blob);
	}
	buf_release(&line);
}

/* Signs with private, writes what ssh-keygen needs, asks it. */
static int ssh_keygen_says(const struct ssh_private_key *private, const char *name_space)
{
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES), armor = BUF_INIT(65536), signers = BUF_INIT(65536);
	char command[200];
	OK(sshsig_sign(private, SAMPLE_NAMESPACE, MESSAGE, MESSAGE_LEN, &blob, &err));
	OK(sshsig_armor((uint8_t *)blob.data, blob.len, &armor, &err));
	buf_add_text(&signers, "bob@x.org namespaces=\"" SAMPLE_NAMESPACE "\" ");
	OK(ssh_public_key_write(ssh_private_key_public(private), "comment", &signers, &err));
	write_text("signers", signers.data);
	write_text("m", MESSAGE);
	write_text("m.sig", armor.data);
	snprintf(command, sizeof command, "ssh-keygen -Y verify -f signers -I bob@x.org -n %s -s m.sig <m >/dev/null 2>&1",
	         name_space);
	buf_release(&blob);
	buf_release(&armor);
	buf_release(&signers);
	return run(command);
}

Test(sshsig, ssh_keygen_accepts_what_the_host_key_signs)
{
	cr_assert_eq(ssh_keygen_says(key.private, SAMPLE_NAMESPACE), 0);
	cr_assert_neq(run("ssh-keygen -Y verify -f signers -I bob@x.org -n git -s m.sig <m >/dev/null 2>&1"), 0);
}

Test(sshsig, ssh_keygen_accepts_what_its_own_key_signs_here)
{
	struct ssh_private_key *private = NULL;
	cr_assert_eq(run("ssh-keygen -q -t ed25519 -N '' -C '' -f k"), 0);
	read_private("k", &private);
	cr_assert_eq(ssh_keygen_says(private, SAMPLE_NAMESPACE), 0);
	ssh_private_key_free(private);
}

Test(sshsig, fingerprint_is_ssh_keygens)
{
	struct buf line = BUF_INIT(65536);
	struct ssh_public_key public;
	char fingerprint[SSHSIG_FINGERPRINT_SIZE], command[300];
	cr_assert_eq(run("ssh-keygen -q -t ed25519 -N '' -f k"), 0);
	OK(file_read("k.pub", 0, &line, &err));
	OK(ssh_public_key_parse(line.data, line.len, &public, &err));
	ssh_public_key_fingerprint(&public, fingerprint);
	snprintf(command, sizeof command, "ssh-keygen -lf k.pub | grep -qF ' %s '", fingerprint);
	cr_assert_eq(run(command), 0, "%s", fingerprint);
	buf_release(&line);
}

Test(sshsig, openssl_reads_the_host_key)
{
	struct buf pem = BUF_INIT(4096);
	OK(ssh_private_key_generate_pem(&pem, &err));
	write_text("host.pem", pem.data);
	cr_assert_eq(run("openssl pkey -in host.pem -noout -text | grep -q '^ED25519 Private-Key'"), 0);
	buf_release(&pem);
}

/* --- private keys --- */

static int read_key(const char *path)
{
	struct ssh_private_key *private = NULL;
	err_clear(&err);
	int result = ssh_private_key_read(path, &private, &err);
	ssh_private_key_free(private);
	return result;
}

Test(sshsig, private_keys_of_both_forms)
{
	cr_assert_eq(run("ssh-keygen -q -t ed25519 -N '' -f k && openssl genpkey -algorithm ed25519 -out p.pem"), 0);
	cr_assert_eq(read_key("k"), 0, "%s", err.message);
	cr_assert_eq(read_key("p.pem"), 0, "%s", err.message);
}

Test(sshsig, private_keys_that_are_refused)
{
	static const struct { const char *make, *says, *hint; } cases[] = {
		{ "ssh-keygen -q -t ed25519 -N secret -f k", "passphrase", "--export" },
		{ "openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out k", "passphrase", "--export" },
		{ "ssh-keygen -q -t rsa -b 2048 -N '' -f k", "unsupported key type \"ssh-rsa\"", "ed25519" },
		{ "ssh-keygen -q -t ecdsa -N '' -f k", "unsupported key type \"ecdsa-sha2-nistp256\"", "ed25519" },
		{ "openssl genpkey -algorithm RSA -out k 2>/dev/null", "unsupported key type \"RSA\"", "Ed25519" },
		{ "ssh-keygen -q -t ed25519 -N '' -f k && chmod 640 k", "others may read", "chmod 600" },
		{ "ssh-keygen -q -t ed25519 -N '' -f k && cp k.pub k", "is a public key", "--export" },
		{ "ssh-keygen -q -t ed25519 -N '' -f k && sed -i '3s/^..../AAAA/' k", "the private key", "" },
		{ "ssh-keygen -q -t ed25519 -N '' -f k && sed -i 3d k", "damaged", "" },
		{ "mkdir k", "regular", "" },
		{ "true", "cannot open", "" },
		{ "head -c 20000 /dev/zero >k; chmod 600 k", "too large", "" },
		{ "printf -- '-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n' >k; chmod 600 k", "not a PKCS#8", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_eq(run("rm -rf k k.pub"), 0);
		cr_assert_eq(run(cases[i].make), 0, "%s", cases[i].make);
		cr_assert_eq(read_key("k"), -1, "%s", cases[i].make);
		cr_assert(strstr(err.message, cases[i].says), "%s: %s", cases[i].make, err.message);
		cr_assert(strstr(err.hint, cases[i].hint), "%s: %s", cases[i].make, err.hint);
	}
}

/* --- public keys --- */

Test(sshsig, public_key_lines_that_are_refused)
{
	struct buf good = BUF_INIT(65536);
	struct ssh_public_key public;
	OK(ssh_public_key_write(&key.public, NULL, &good, &err));
	OK(ssh_public_key_parse(good.data, good.len, &public, &err));
	static const char *const bad[] = {
		"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA", " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
		"ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"two\nlines",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		FAILS(ssh_public_key_parse(bad[i], strlen(bad[i]), &public, &err), ERR_FORMAT);
	buf_release(&good);
}

/* --- armor --- */

static int dearmor(const char *text, size_t len)
{
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	err_clear(&err);
	int result = sshsig_dearmor(text, len, &blob, &err);
	buf_release(&blob);
	return result;
}

static struct buf armored(void)
{
	struct forgery none = { 0 };
	struct buf blob = BUF_INIT(65536), armor = BUF_INIT(65536);
	forge(&key, &none, MESSAGE, MESSAGE_LEN, &blob);
	OK(sshsig_armor((uint8_t *)blob.data, blob.len, &armor, &err));
	buf_release(&blob);
	return armor;
}

Test(sshsig, armor_as_mail_leaves_it)
{
	struct buf armor = armored(), crlf = BUF_INIT(65536);
	cr_assert_eq(dearmor(armor.data, armor.len), 0);
	buf_add_text(&crlf, "\r\n\n");
	for (size_t i = 0; i < armor.len; i++) {
		if (armor.data[i] == '\n')
			buf_add_char(&crlf, '\r');
		buf_add_char(&crlf, armor.data[i]);
	}
	buf_add_text(&crlf, "\r\n\n");
	cr_assert_eq(dearmor(crlf.data, crlf.len), 0, "%s", err.message);
	/* without a line end at the end */
	cr_assert_eq(dearmor(armor.data, armor.len - 1), 0);
	buf_release(&armor);
	buf_release(&crlf);
}

static void refuses_armor(const char *before, const char *from, const char *to, const char *after)
{
	struct buf armor = armored(), text = BUF_INIT(2u << 20);
	buf_add_text(&text, before);
	const char *at = *from ? strstr(armor.data, from) : armor.data;
	cr_assert(at);
	buf_add(&text, armor.data, (size_t)(at - armor.data));
	buf_add_text(&text, to);
	buf_add_text(&text, at + strlen(from));
	buf_add_text(&text, after);
	cr_assert_eq(dearmor(text.data, text.len), -1, "accepted: %s|%s->%s|%s", before, from, to, after);
	cr_assert_eq(err.code, ERR_REFUSED);
	buf_release(&text);
	buf_release(&armor);
}

Test(sshsig, armor_that_is_refused)
{
	refuses_armor("Dear Bob,\n", "", "", "");
	refuses_armor(" ", "", "", "");
	refuses_armor("", "", "", "Regards\n");
	refuses_armor("", "BEGIN SSH", "BEGIN  SSH", "");
	refuses_armor("", "-----\n", "----- \n", "");
	refuses_armor("", "-----\n", "-----\n\n", "");
	refuses_armor("", "\n-----END", "\n\n-----END", "");
	refuses_armor("", "\n-----END", "-----END", "");
	refuses_armor("", "\n-----END", "=\n-----END", "");
	refuses_armor("", "U1NI", "U1N!", "");
	refuses_armor("", "U1NI", "U1 NI", "");
	refuses_armor("", "U1NI", "U1\rNI", "");
	refuses_armor("", "END SSH SIGNATURE-----", "END SSH SIGNATURE----", "");
	struct buf twice = armored(), large = BUF_INIT(2u << 20);
	refuses_armor(twice.data, "", "", "");
	for (int i = 0; i < 1 << 20; i++)
		buf_add_char(&large, '\n');
	buf_add(&large, twice.data, twice.len);
	cr_assert_eq(dearmor(large.data, large.len), -1);
	buf_release(&twice);
	buf_release(&large);
	cr_assert_eq(dearmor("", 0), -1);
	cr_assert_eq(dearmor("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", 57), -1);
}
