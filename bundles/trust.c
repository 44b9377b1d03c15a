/* Opens a policy directory: five files, each read through one descriptor that was checked first.
 * What cannot be read, is writable by others or has one wrong line refuses everything; there is no
 * partial trust. */
#include "trust.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"
#include "sshkey.h"
#include "text.h"
#include "trust_inside.h"

#define ARENA_MAX (64u << 20)

/* Where the reading of one directory stands. */
struct opening {
	const char *directory;
	int fd;
	bool strict;
	struct trust *trust;
};

static int unsafe(struct err *err, const char *path, const char *why)
{
	return err_refuse_hint(err, "policy",
		"it must belong to root or to who runs this, and others may not write to it", "%s: %s",
		path, why);
}

int trust_check_owner(const char *path, const struct stat *st, struct err *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return unsafe(err, path, "belongs to another user");
	if (st->st_mode & 022 && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return unsafe(err, path, "others may write to it");
	return 0;
}

/* The directories above: whoever may rename one of them may put another policy in its place. */
static int check_parents(const char *directory, struct err *err)
{
	char *real = realpath(directory, NULL);
	int result = 0;
	if (!real)
		return err_refuse(err, "policy", "%s: %s", directory, strerror(errno));
	for (char *slash = strrchr(real, '/'); slash && !result; slash = strrchr(real, '/')) {
		struct stat st;
		bool root = slash == real;
		slash[root ? 1 : 0] = '\0';
		if (stat(real, &st) != 0)
			result = err_refuse(err, "policy", "%s: %s", real, strerror(errno));
		else
			result = trust_check_owner(real, &st, err);
		if (root)
			break;
	}
	free(real);
	return result;
}

int trust_check_directory(const char *path, int fd, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_refuse(err, "policy", "%s: %s", path, strerror(errno));
	if (st.st_mode & 022)
		return unsafe(err, path, "others may write to it");
	if (trust_check_owner(path, &st, err))
		return -1;
	return check_parents(path, err);
}

static int open_directory(struct opening *opening, struct err *err)
{
	/* A name with a slash at its end would follow a symbolic link. */
	char *name = strdup(opening->directory);
	if (!name)
		return err_nomem(err);
	for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; len--)
		name[len - 1] = '\0';
	opening->fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	free(name);
	if (opening->fd < 0)
		return err_refuse_hint(err, "policy",
			"pgdocket trust init DIR --label L makes one; --trust DIR names it",
			"no policy directory at %s: %s", opening->directory, strerror(errno));
	return opening->strict ? trust_check_directory(opening->directory, opening->fd, err) : 0;
}

static char *path_of(const struct opening *opening, const char *name, struct err *err)
{
	return arena_format(opening->trust->arena, err, "%s/%s", opening->directory, name);
}

static int check_file(
	const struct opening *opening, const char *path, int fd, bool secret, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_refuse(err, "policy", "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return unsafe(err, path, "is not a regular file");
	if (st.st_size > (off_t)TRUST_FILE_MAX)
		return err_refuse(err, "policy", "%s has %lld bytes; at most %u are allowed", path,
			(long long)st.st_size, TRUST_FILE_MAX);
	if (!opening->strict)
		return 0;
	if (secret && st.st_mode & 077) {
		err_refuse(err, "policy", "%s: others may read the host key (mode %03o)", path,
			(unsigned)st.st_mode & 0777);
		return err_hint(err, "chmod 600 %s; if others may have read it, make a new one", path);
	}
	return trust_check_owner(path, &st, err);
}

/* *text: a block of *size bytes, wiped and freed by release_text; NULL when the file is absent and
 * may be. One block of the file's size, so that a secret has no copies that growing would leave
 * behind. */
static int read_file(const struct opening *opening, const char *name, bool secret, char **text,
	size_t *size, struct err *err)
{
	int result = -1;
	ssize_t got;
	char *path = path_of(opening, name, err);
	*text = NULL;
	*size = 0;
	if (!path)
		return -1;
	int fd = openat(opening->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && secret)
		return 0;
	if (fd < 0)
		return err_refuse_hint(err, "policy",
			"pgdocket trust init writes every file that a policy directory needs", "%s: %s", path,
			errno == ELOOP ? "is a symbolic link" : strerror(errno));
	if (check_file(opening, path, fd, secret, err))
		goto out;
	*text = malloc(TRUST_FILE_MAX + 1);
	if (!*text) {
		err_nomem(err);
		goto out;
	}
	while ((got = TEMP_FAILURE_RETRY(
				read(fd, *text + *size, TRUST_FILE_MAX + 1 - *size))) > 0)
		*size += (size_t)got;
	if (got < 0)
		err_refuse(err, "policy", "%s: %s", path, strerror(errno));
	else if (*size > TRUST_FILE_MAX)
		err_refuse(err, "policy", "%s: more than %u bytes", path, TRUST_FILE_MAX);
	else
		result = 0;
out:
	close(fd);
	return result;
}

static void release_text(char *text, size_t size)
{
	if (text)
		OPENSSL_cleanse(text, size);
	free(text);
}

static int read_policy(
	struct opening *opening, const char *path, const char *text, size_t size, struct err *err)
{
	struct trust *trust = opening->trust;
	digest_of(text, size, &trust->policy_digest);
	if (policy_parse(trust->arena, path, text, size, &trust->policy, err))
		return -1;
	const char **file = &trust->policy.conninfo_file;
	if (*file && **file != '/' && !(*file = path_of(opening, *file, err)))
		return -1;
	return 0;
}

static int read_signers(
	struct opening *opening, const char *path, const char *text, size_t size, struct err *err)
{
	return signers_parse(opening->trust->arena, path, text, size, &opening->trust->signers, err);
}

/* A list with one digest per line; parse says how a line gives one. */
static int read_digests(struct opening *opening, struct signers_reader reader,
	struct trust_digests *out, bool (*parse)(const char *line, size_t len, struct digest *digest),
	const char *expected, struct err *err)
{
	const char *line;
	size_t len, most = 1;
	for (const char *at = reader.at; at < reader.end; at++)
		most += *at == '\n';
	out->item = arena_array(opening->trust->arena, most, sizeof(*out->item), err);
	if (!out->item)
		return -1;
	while (signers_line(&reader, &line, &len, err)) {
		while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
			len--;
		if (!parse(line, len, &out->item[out->count]))
			return signers_wrong(&reader, err, "%s was expected", expected);
		out->count++;
	}
	return err->code ? -1 : 0;
}

/* Of any type, also of one that could never sign: the list may serve other programs too. */
static bool parse_key_line(const char *line, size_t len, struct digest *digest)
{
	struct err err = ERR_INIT;
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	bool valid = sshkey_decode(line, len, &blob, &err) == 0;
	if (valid)
		digest_of(blob.data, blob.len, digest);
	buf_release(&blob);
	return valid;
}

static bool parse_plan_line(const char *line, size_t len, struct digest *digest)
{
	if (len == 71 && memcmp(line, "sha256:", 7) == 0) {
		line += 7;
		len -= 7;
	}
	return digest_parse(line, len, digest);
}

static int read_revoked_keys(
	struct opening *opening, const char *path, const char *text, size_t size, struct err *err)
{
	struct signers_reader reader = { path, text, text + size, 0 };
	return read_digests(opening, reader, &opening->trust->revoked_keys, parse_key_line,
		"a public key, \"type base64 [comment]\"", err);
}

static int read_revoked_plans(
	struct opening *opening, const char *path, const char *text, size_t size, struct err *err)
{
	struct signers_reader reader = { path, text, text + size, 0 };
	return read_digests(opening, reader, &opening->trust->revoked_plans, parse_plan_line,
		"a whole plan id of 64 hex digits", err);
}

static int read_host_key(
	struct opening *opening, const char *path, const char *text, size_t size, struct err *err)
{
	struct err inner = ERR_INIT;
	if (!text)
		return 0;
	if (!ssh_private_key_parse_pem(text, size, &opening->trust->host_key, &inner))
		return 0;
	return err_refuse_hint(err, "policy",
		"the host key is an Ed25519 PKCS#8 PEM file without passphrase", "%s: %s", path,
		inner.message);
}

static const struct {
	const char *name;
	bool secret; /* and may be absent */
	int (*read)(
		struct opening *opening, const char *path, const char *text, size_t size, struct err *err);
} files[] = { { TRUST_POLICY, false, read_policy }, { TRUST_SIGNERS, false, read_signers },
	{ TRUST_REVOKED_KEYS, false, read_revoked_keys },
	{ TRUST_REVOKED_PLANS, false, read_revoked_plans }, { TRUST_HOST_KEY, true, read_host_key } };

int trust_open(const char *dir, bool strict, struct trust **out, struct err *err)
{
	struct opening opening = { dir, -1, strict, NULL };
	int result = -1;
	*out = NULL;
	opening.trust = calloc(1, sizeof(*opening.trust));
	if (!opening.trust || !(opening.trust->arena = arena_new(ARENA_MAX))) {
		err_nomem(err);
		goto out;
	}
	opening.trust->directory = arena_text(opening.trust->arena, dir, err);
	if (!opening.trust->directory || open_directory(&opening, err))
		goto out;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *text = NULL;
		size_t size = 0;
		const char *path = path_of(&opening, files[i].name, err);
		int failed = !path ||
			read_file(&opening, files[i].name, files[i].secret, &text, &size, err) ||
			files[i].read(&opening, path, text, size, err);
		release_text(text, size);
		if (failed)
			goto out;
	}
	*out = opening.trust;
	opening.trust = NULL;
	result = 0;
out:
	if (opening.fd >= 0)
		close(opening.fd);
	trust_close(opening.trust);
	return result;
}

void trust_close(struct trust *trust)
{
	if (!trust)
		return;
	ssh_private_key_free(trust->host_key);
	arena_free(trust->arena);
	free(trust);
}

bool trust_has(const struct trust_digests *digests, const struct digest *digest)
{
	for (size_t i = 0; i < digests->count; i++)
		if (digest_equal(&digests->item[i], digest))
			return true;
	return false;
}

const struct policy *trust_policy(const struct trust *trust)
{
	return &trust->policy;
}

const struct ssh_private_key *trust_host_key(const struct trust *trust)
{
	return trust->host_key;
}

const struct digest *trust_policy_digest(const struct trust *trust)
{
	return &trust->policy_digest;
}

const char *trust_operator(const struct trust *trust, long uid)
{
	for (size_t i = 0; i < trust->policy.operators; i++)
		if (trust->policy.operator[i].uid == uid)
			return trust->policy.operator[i].principal;
	return NULL;
}

bool trust_signer(const struct trust *trust, const struct ssh_public_key *key,
	const char *name_space, int64_t now_us, const char **principal)
{
	unsigned bit = signers_namespace(name_space, strlen(name_space));
	struct digest digest;
	ssh_public_key_digest(key, &digest);
	if (trust_has(&trust->revoked_keys, &digest))
		return false;
	for (size_t i = 0; i < trust->signers.count; i++) {
		const struct signer *signer = &trust->signers.item[i];
		if (!digest_equal(&signer->key, &digest) || !(signer->namespaces & bit) ||
			now_us < signer->after_us || now_us >= signer->before_us)
			continue;
		if (principal)
			*principal = signer->principal;
		return true;
	}
	return false;
}
