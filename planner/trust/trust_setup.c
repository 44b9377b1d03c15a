/*
 * Writes a policy directory and adds keys to it. What it writes it reads back with the same strict
 * reader before anyone else can see it.
 */
#include "trust.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"
#include "signers.h"
#include "text.h"

#define PATH_MAX_BYTES 8192
#define SIGNERS_ARENA_MAX (64u << 20)

static const char policy_head[] =
	"# What this host demands of a plan before it is applied: lines of \"key: value\".\n"
	"# An unknown key refuses the whole file. Keys commented out show their defaults.\n\n";

static const char policy_tail[] =
	"\n# How many people must have signed. \"approve 0\" is allowed, \"plan 0\" is not.\n"
	"require: plan 1\n"
	"require: approve 1\n"
	"\n# No two of these may be the same person: planner, approver, operator.\n"
	"#distinct: planner approver\n"
	"\n# At least so many of a group's members among the approvers.\n"
	"#group: dba bob@example.com carol@example.com\n"
	"#require-group: dba 1\n"
	"\n# One verified rejection stops the plan for ever.\n"
	"#reject-is-veto: yes\n"
	"\n# Approvals only from keys in hardware; with a PIN or fingerprint.\n"
	"#require-sk: no\n"
	"#require-uv: no\n"
	"#require-rehearsal: no\n"
	"\n# The plan must name this host's key (host_key.pem), not \"any\".\n"
	"#require-apply-host: yes\n"
	"\n# How the server is reached; -d wins over this file, the file over the environment.\n"
	"#conninfo-file: /etc/pgdocket/conn\n"
	"#require-tls: yes\n"
	"#allow-root: yes\n"
	"\n# Who a system user is, for \"distinct: ... operator\".\n"
	"#operator: uid 1001 dave@example.com\n"
	"\n# Tenants that the plan does not know: report, or refuse.\n"
	"#uncovered: report\n"
	"#max-plan-age: 14d\n"
	"#max-clock-skew: 120s\n"
	"#resume-grace: 24h\n";

static const char signers_head[] =
	"# Who may sign what, a key per line: PRINCIPAL namespaces=\"...\" TYPE BASE64 [COMMENT]\n"
	"# plan.v1@pgdocket may plan, approve.v1@pgdocket approve; result.v1@pgdocket: a host.\n"
	"# pgdocket trust add writes such lines; ssh-keygen -Y verify reads this file too.\n";
static const char revoked_keys_head[] =
	"# Keys that may sign nothing any more, one public key per line.\n";
static const char revoked_plans_head[] =
	"# Plans that must not be applied, one whole plan id (64 hex digits) per line.\n";

static int path_of(const char *dir, const char *name, struct buf *path, struct err *err)
{
	buf_clear(path);
	buf_add_format(path, "%s/%s", dir, name);
	return buf_check(path, err);
}

/* Whatever the process's umask is: the policy is no secret, the host key is. */
static int write_file(
	const char *dir, const char *name, mode_t mode, const struct buf *text, struct err *err)
{
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	int result = -1;
	if (path_of(dir, name, &path, err) ||
		file_create(path.data, mode, buf_text(text), text->len, err))
		goto out;
	if (chmod(path.data, mode) != 0)
		err_set_errno(err, ERR_IO, "cannot set the mode of %s", path.data);
	else
		result = 0;
out:
	buf_release(&path);
	return result;
}

static int nothing_there(const char *dir, struct err *err)
{
	static const char *const names[] = { TRUST_POLICY, TRUST_SIGNERS, TRUST_REVOKED_KEYS,
		TRUST_REVOKED_PLANS, TRUST_HOST_KEY };
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	struct stat st;
	int result = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !result; i++) {
		result = path_of(dir, names[i], &path, err);
		if (!result && lstat(path.data, &st) == 0) {
			result = err_set(err, ERR_IO, "%s is there already", path.data);
			err_hint(err,
				"a policy is never overwritten: give another directory, or edit the one you have");
		}
	}
	buf_release(&path);
	return result;
}

static int make_directory(const char *dir, struct err *err)
{
	if (mkdir(dir, 0755) == 0) {
		/* mkdir's mode is cut by the umask. */
		if (chmod(dir, 0755) != 0)
			return err_set_errno(err, ERR_IO, "cannot set the mode of %s", dir);
		return 0;
	}
	if (errno != EEXIST) {
		err_set_errno(err, ERR_IO, "cannot make directory %s", dir);
		return err_hint(err, "the directory above it must exist");
	}
	return nothing_there(dir, err);
}

static int label_valid(const char *label, struct err *err)
{
	size_t len = strlen(label), bad;
	bool plain = len && len <= 512 && text_utf8(label, len, &bad) && label[0] != ' ' &&
		label[len - 1] != ' ';
	for (size_t i = 0; i < len; i++)
		plain = plain && (unsigned char)label[i] >= 0x20 && label[i] != 0x7f;
	if (plain)
		return 0;
	err_set(err, ERR_USAGE, "the label is empty, longer than 512 bytes, or not plain text");
	return err_hint(err, "a label is the environment's name, as prod-eu-1");
}

static int new_host_key(struct buf *pem, char fingerprint[SSHSIG_FINGERPRINT_SIZE], struct err *err)
{
	struct ssh_private_key *key = NULL;
	if (ssh_private_key_generate_pem(pem, err) ||
		ssh_private_key_parse_pem(pem->data, pem->len, &key, err))
		return -1;
	ssh_public_key_fingerprint(ssh_private_key_public(key), fingerprint);
	ssh_private_key_free(key);
	return 0;
}

int trust_init(
	const char *dir, const char *label, char fingerprint[SSHSIG_FINGERPRINT_SIZE], struct err *err)
{
	struct buf text = BUF_INIT(TRUST_FILE_MAX), pem = BUF_INIT(TRUST_FILE_MAX);
	int result = -1;
	if (label_valid(label, err) || new_host_key(&pem, fingerprint, err) || make_directory(dir, err))
		goto out;
	buf_add_format(&text, "%slabel: %s\n%s", policy_head, label, policy_tail);
	if (buf_check(&text, err) || write_file(dir, TRUST_HOST_KEY, 0600, &pem, err) ||
		write_file(dir, TRUST_POLICY, 0644, &text, err))
		goto out;
	static const struct {
		const char *name, *head;
	} lists[] = {
		{ TRUST_SIGNERS, signers_head },
		{ TRUST_REVOKED_KEYS, revoked_keys_head },
		{ TRUST_REVOKED_PLANS, revoked_plans_head },
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		buf_clear(&text);
		buf_add_text(&text, lists[i].head);
		if (buf_check(&text, err) || write_file(dir, lists[i].name, 0644, &text, err))
			goto out;
	}
	result = 0;
out:
	if (pem.data)
		OPENSSL_cleanse(pem.data, pem.capacity);
	buf_release(&pem);
	buf_release(&text);
	return result;
}

static const struct {
	unsigned bit;
	const char *name_space;
} roles[] = {
	[ROLE_PLANNER] = { SIGNERS_PLAN, NAMESPACE_PLAN },
	[ROLE_APPROVER] = { SIGNERS_APPROVE, NAMESPACE_APPROVE },
	[ROLE_HOST] = { SIGNERS_RESULT, NAMESPACE_RESULT },
};

static bool stands_already(const struct signers *signers, enum trust_role role,
	const char *principal, const struct digest *key)
{
	for (size_t i = 0; i < signers->count; i++) {
		const struct signer *signer = &signers->item[i];
		if (digest_equal(&signer->key, key) && strcmp(signer->principal, principal) == 0 &&
			signer->namespaces & roles[role].bit)
			return true;
	}
	return false;
}

/* A key is one person's: err says whose it is. */
static int check_owner(const char *path, const struct signers *signers, const char *principal,
	const struct digest *key, struct err *err)
{
	for (size_t i = 0; i < signers->count; i++) {
		const struct signer *signer = &signers->item[i];
		if (!digest_equal(&signer->key, key) || strcmp(signer->principal, principal) == 0)
			continue;
		err_refuse(err, "policy", "%s, line %d: the key is another principal's already: %s's",
			path, signer->line, signer->principal);
		return err_hint(err, "remove that line, or use another key");
	}
	return 0;
}

/*
 * The new text is parsed as a whole before it replaces the old one: a line that cannot stand beside
 * the others is refused.
 */
static int add_signer(const char *path, enum trust_role role, const char *principal,
	const struct ssh_public_key *key, bool *added, struct err *err)
{
	struct arena *arena = arena_new(SIGNERS_ARENA_MAX);
	struct buf text = BUF_INIT(TRUST_FILE_MAX);
	struct signers signers;
	struct digest digest;
	struct stat st;
	int result = -1;
	ssh_public_key_digest(key, &digest);
	if (!arena) {
		err_nomem(err);
		goto out;
	}
	if (file_read(path, 1, &text, err) ||
		signers_parse(arena, path, text.data, text.len, &signers, err) ||
		check_owner(path, &signers, principal, &digest, err))
		goto out;
	if (stands_already(&signers, role, principal, &digest)) {
		result = 0;
		goto out;
	}
	if (text.len && text.data[text.len - 1] != '\n')
		buf_add_char(&text, '\n');
	buf_add_format(&text, "%s namespaces=\"%s\" ", principal, roles[role].name_space);
	if (ssh_public_key_write(key, NULL, &text, err) ||
		signers_parse(arena, path, text.data, text.len, &signers, err))
		goto out;
	if (stat(path, &st) != 0) {
		err_set_errno(err, ERR_IO, "cannot look at %s", path);
		goto out;
	}
	result = file_replace(path, st.st_mode & 0777, text.data, text.len, err);
	*added = !result;
out:
	arena_free(arena);
	buf_release(&text);
	return result;
}

int trust_add(const char *dir, enum trust_role role, const char *principal,
	const struct ssh_public_key *key, bool *added, struct err *err)
{
	struct trust *trust = NULL;
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	int result = -1;
	*added = false;
	if (!signers_principal_valid(principal, strlen(principal))) {
		err_set(err, ERR_USAGE, "\"%s\" cannot be a principal", principal);
		err_hint(err,
			"letters, digits and _.@:/+-, not beginning with -, at most %d bytes; as "
			"bob@example.com",
			SIGNERS_PRINCIPAL_MAX);
		goto out;
	}
	if (trust_open(dir, false, &trust, err) || path_of(dir, TRUST_SIGNERS, &path, err))
		goto out;
	result = add_signer(path.data, role, principal, key, added, err);
out:
	buf_release(&path);
	trust_close(trust);
	return result;
}
