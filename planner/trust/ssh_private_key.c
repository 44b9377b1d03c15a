/*
 * Private keys in the files that OpenSSH writes, for those who sign on their desk; and new keys.
 * Private bytes are held in fixed buffers that are wiped before they are left, never in growing
 * ones that leave copies behind.
 */
#include "sshsig.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keytype.h"
#include "text.h"

#define PRIVATE_MAX 16384
#define OPENSSH_HEADER "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define OPENSSH_FOOTER "\n-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1" /* and its NUL */

/*
 * The part that a passphrase would encrypt: check twice, then per key type, public, private,
 * comment; padding 1, 2, 3 ...
 */
static int parse_secret(struct wire_string section, struct wire_string public_blob,
	struct ssh_private_key **out, struct err *err)
{
	struct wire wire = wire_open(section.bytes, section.len);
	uint32_t check = wire_uint32(&wire), again = wire_uint32(&wire);
	struct wire_string type = wire_string(&wire);
	if (wire.bad || check != again)
		return err_set(err, ERR_FORMAT, "the private key is damaged");
	if (!keytype_find(type, err))
		return -1;
	struct wire_string point = wire_string(&wire), secret = wire_string(&wire);
	wire_string(&wire);
	bool padded = !wire.bad && wire.end - wire.at < 8;
	for (uint8_t i = 1; padded && wire.at < wire.end; i++)
		padded = *wire.at++ == i;
	if (!padded || point.len != SSH_KEY_SEED_SIZE || secret.len != 2 * SSH_KEY_SEED_SIZE ||
		memcmp(secret.bytes + SSH_KEY_SEED_SIZE, point.bytes, SSH_KEY_SEED_SIZE) != 0)
		return err_set(err, ERR_FORMAT, "the private key is damaged");
	if (ssh_private_key_from_seed(secret.bytes, out, err))
		return -1;
	const struct ssh_public_key *public = ssh_private_key_public(*out);
	if (public->blob_len != public_blob.len ||
		memcmp(public->blob, public_blob.bytes, public_blob.len) != 0) {
		ssh_private_key_free(*out);
		*out = NULL;
		return err_set(err, ERR_FORMAT, "the private key does not fit the public key in its file");
	}
	return 0;
}

/* OpenSSH PROTOCOL.key. */
static int parse_container(
	const uint8_t *bytes, size_t len, struct ssh_private_key **out, struct err *err)
{
	struct wire wire = wire_open(bytes, len);
	wire_magic(&wire, OPENSSH_MAGIC, sizeof(OPENSSH_MAGIC));
	struct wire_string cipher = wire_string(&wire), kdf = wire_string(&wire);
	wire_string(&wire);
	uint32_t keys = wire_uint32(&wire);
	if (!wire.bad && (!wire_same(cipher, "none") || !wire_same(kdf, "none"))) {
		err_set(err, ERR_CONFIG, "the private key has a passphrase");
		return err_hint(err, SSH_KEY_WAY_OUT);
	}
	struct wire_string public_blob = wire_string(&wire), section = wire_string(&wire);
	if (!wire_done(&wire) || keys != 1)
		return err_set(err, ERR_FORMAT, "the private key file is damaged");
	return parse_secret(section, public_blob, out, err);
}

static const char *find_bytes(const char *text, size_t len, const char *needle)
{
	return memmem(text, len, needle, strlen(needle));
}

int ssh_private_key_parse(
	const char *text, size_t len, struct ssh_private_key **out, struct err *err)
{
	char base64[PRIVATE_MAX];
	uint8_t bytes[PRIVATE_MAX];
	size_t head = strlen(OPENSSH_HEADER), count = 0;
	int result = -1;
	*out = NULL;
	const char *footer = len < sizeof(base64) ? find_bytes(text, len, OPENSSH_FOOTER) : NULL;
	if (!footer || len < head || memcmp(text, OPENSSH_HEADER, head) != 0 || footer < text + head) {
		err_set(err, ERR_FORMAT, "not an OpenSSH private key file");
		return err_hint(err, "ssh-keygen -t ed25519 makes one; " SSH_KEY_WAY_OUT);
	}
	for (const char *at = text + head; at < footer; at++)
		if (*at != '\n' && *at != '\r')
			base64[count++] = *at;
	size_t padding = count && base64[count - 1] == '='
		? (count > 1 && base64[count - 2] == '=' ? 2 : 1)
		: 0;
	int decoded = count % 4 ? -1 : EVP_DecodeBlock(bytes, (unsigned char *)base64, (int)count);
	if (decoded < (int)padding)
		err_set(err, ERR_FORMAT, "the private key file is damaged");
	else
		result = parse_container(bytes, (size_t)decoded - padding, out, err);
	OPENSSL_cleanse(base64, sizeof(base64));
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return result;
}

static bool is_public(const char *text, size_t len)
{
	static const char *const starts[] = { "ssh-", "ecdsa-", "sk-" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (len > strlen(starts[i]) && memcmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static int refuse_public(const char *path, struct err *err)
{
	size_t len = strlen(path);
	if (text_ends(path, ".pub"))
		len -= 4;
	err_set(err, ERR_CONFIG, "%s is a public key%s%.*s", path,
		path[len] ? "; give the private key " : "; give the private key",
		path[len] ? (int)len : 0, path);
	return err_hint(err, "when the private half is in an agent or on a token: " SSH_KEY_WAY_OUT);
}

static int read_secret(const char *path, char *text, size_t size, size_t *len, struct err *err)
{
	struct stat st;
	int result = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_CONFIG, "cannot open the key %s", path);
	ssize_t got = 0;
	*len = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(err, ERR_CONFIG, "the key %s is not a regular file", path);
		goto out;
	}
	while (*len < size &&
		((got = read(fd, text + *len, size - *len)) > 0 || (got < 0 && errno == EINTR)))
		*len += got > 0 ? (size_t)got : 0;
	if (got < 0)
		err_set_errno(err, ERR_IO, "cannot read the key %s", path);
	else if (*len == size)
		err_set(err, ERR_CONFIG, "%s is too large for a private key", path);
	else if (is_public(text, *len))
		refuse_public(path, err);
	else if (st.st_mode & 077) {
		err_set(err, ERR_CONFIG, "others may read the private key %s (mode %03o)", path,
			(unsigned)st.st_mode & 0777);
		err_hint(err, "chmod 600 %s", path);
	} else
		result = 0;
out:
	close(fd);
	return result;
}

int ssh_private_key_read(const char *path, struct ssh_private_key **out, struct err *err)
{
	char text[PRIVATE_MAX];
	size_t len = 0;
	int result = -1;
	*out = NULL;
	if (read_secret(path, text, sizeof(text), &len, err))
		goto out;
	if (find_bytes(text, len, "-----BEGIN OPENSSH PRIVATE KEY-----"))
		result = ssh_private_key_parse(text, len, out, err);
	else if (find_bytes(text, len, "PRIVATE KEY-----"))
		result = ssh_private_key_parse_pem(text, len, out, err);
	else {
		err_set(err, ERR_CONFIG, "not a private key");
		err_hint(err,
			"--key wants the private half; when that is in an agent or on a "
			"token: " SSH_KEY_WAY_OUT);
	}
	if (result)
		err_context(err, "%s", path);
out:
	OPENSSL_cleanse(text, sizeof(text));
	return result;
}

int ssh_private_key_generate_pem(struct buf *pem, struct err *err)
{
	char *text = NULL;
	int result = -1;
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	if (!pkey || !bio || PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		err_set(err, ERR_IO, "libcrypto cannot make an Ed25519 key");
		err_hint(err, "check the system's OpenSSL configuration");
		goto out;
	}
	long len = BIO_get_mem_data(bio, &text);
	buf_add(pem, text, (size_t)len);
	result = buf_check(pem, err);
out:
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return result;
}

int ssh_public_key_write(
	const struct ssh_public_key *key, const char *comment, struct buf *out, struct err *err)
{
	struct wire wire = wire_open(key->blob, key->blob_len);
	struct wire_string type = wire_string(&wire);
	buf_add(out, type.bytes, type.len);
	buf_add_char(out, ' ');
	text_base64(out, key->blob, key->blob_len);
	if (comment && *comment) {
		buf_add_char(out, ' ');
		buf_add_text(out, comment);
	}
	buf_add_char(out, '\n');
	return buf_check(out, err);
}
