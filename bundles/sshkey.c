/*
 * Public and private keys in the forms that OpenSSH and OpenSSL write. Private bytes are held in
 * fixed buffers that are wiped before they are left, never in growing ones that leave copies
 * behind.
 */
#include "sshkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keytype.h"
#include "text.h"

#define SEED_SIZE 32
#define PRIVATE_MAX 16384
#define OPENSSH_HEADER "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define OPENSSH_FOOTER "\n-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1" /* and its NUL */
#define WAY_OUT \
	"use --export FILE, sign FILE with ssh-keygen -Y sign (agent, passphrase, FIDO), then " \
	"--import FILE.sig"

static size_t word_len(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && text[n] != ' ' && text[n] != '\t')
		n++;
	return n;
}

int sshkey_decode(const char *line, size_t len, struct buf *blob, struct err *err)
{
	size_t type_len = word_len(line, len), at = type_len;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	size_t base64_len = word_len(line + at, len - at);
	buf_clear(blob);
	if (!type_len || !base64_len || !text_unbase64(line + at, base64_len, blob)) {
		err_set(err, ERR_FORMAT,
			"not a public key: \"type base64 [comment]\" was expected");
		return err_hint(err, "give the .pub file that ssh-keygen wrote");
	}
	struct wire wire = wire_open(blob->data, blob->len);
	struct wire_string inner = wire_string(&wire);
	if (wire.bad || inner.len != type_len || memcmp(inner.bytes, line, type_len) != 0)
		return err_set(err, ERR_FORMAT,
			       "the key is not of the type that stands in front of it");
	return 0;
}

static int take_public(const void *blob, size_t len, struct ssh_public_key *out, struct err *err)
{
	if (len > sizeof(out->blob))
		return err_set(err, ERR_LIMIT, "a public key of %zu bytes; at most %zu are allowed",
			       len, sizeof(out->blob));
	if (!keytype_of_blob(blob, len, err))
		return -1;
	memset(out, 0, sizeof(*out));
	memcpy(out->blob, blob, len);
	out->blob_len = len;
	return 0;
}

int ssh_public_key_parse(const char *line, size_t len, struct ssh_public_key *out, struct err *err)
{
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	int result = -1;
	if (len && line[len - 1] == '\n')
		len--;
	if (len && line[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\n' || line[i] == '\r' || line[i] == '\0') {
			err_set(err, ERR_FORMAT, "a public key is one line");
			err_hint(err, "give the .pub file that ssh-keygen wrote");
			goto out;
		}
	if (sshkey_decode(line, len, &blob, err) || take_public(blob.data, blob.len, out, err))
		goto out;
	result = 0;
out:
	buf_release(&blob);
	return result;
}

int ssh_public_key_write(const struct ssh_public_key *key, const char *comment, struct buf *out,
			 struct err *err)
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

void ssh_public_key_digest(const struct ssh_public_key *key, struct digest *out)
{
	digest_of(key->blob, key->blob_len, out);
}

void sshkey_fingerprint(const struct digest *digest, char out[SSHSIG_FINGERPRINT_SIZE])
{
	unsigned char base64[45];
	EVP_EncodeBlock(base64, digest->bytes, DIGEST_SIZE);
	memcpy(out, "SHA256:", 7);
	memcpy(out + 7, base64, 43); /* without its one '=' */
	out[50] = '\0';
}

void ssh_public_key_fingerprint(const struct ssh_public_key *key, char out[SSHSIG_FINGERPRINT_SIZE])
{
	struct digest digest;
	ssh_public_key_digest(key, &digest);
	sshkey_fingerprint(&digest, out);
}

/* Takes over pkey, also when it fails. */
static int take_private(EVP_PKEY *pkey, struct ssh_private_key **out, struct err *err)
{
	uint8_t point[SEED_SIZE];
	size_t point_len = sizeof(point);
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	struct ssh_private_key *key = calloc(1, sizeof(*key));
	int result = -1;
	if (!key) {
		EVP_PKEY_free(pkey);
		return err_nomem(err);
	}
	key->pkey = pkey;
	if (!pkey || EVP_PKEY_get_raw_public_key(pkey, point, &point_len) != 1) {
		err_set(err, ERR_FORMAT, "the private key cannot be used");
		goto out;
	}
	wire_put_text(&blob, KEYTYPE_ED25519);
	wire_put_string(&blob, point, point_len);
	if (buf_check(&blob, err) || take_public(blob.data, blob.len, &key->public, err))
		goto out;
	*out = key;
	key = NULL;
	result = 0;
out:
	buf_release(&blob);
	ssh_private_key_free(key);
	return result;
}

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
	if (!padded || point.len != SEED_SIZE || secret.len != 2 * SEED_SIZE ||
	    memcmp(secret.bytes + SEED_SIZE, point.bytes, SEED_SIZE) != 0)
		return err_set(err, ERR_FORMAT, "the private key is damaged");
	if (take_private(
		    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret.bytes, SEED_SIZE),
		    out, err))
		return -1;
	if ((*out)->public.blob_len != public_blob.len ||
	    memcmp((*out)->public.blob, public_blob.bytes, public_blob.len) != 0) {
		ssh_private_key_free(*out);
		*out = NULL;
		return err_set(err, ERR_FORMAT,
			       "the private key does not fit the public key in its file");
	}
	return 0;
}

/* OpenSSH PROTOCOL.key. */
static int parse_container(const uint8_t *bytes, size_t len, struct ssh_private_key **out,
			   struct err *err)
{
	struct wire wire = wire_open(bytes, len);
	wire_magic(&wire, OPENSSH_MAGIC, sizeof(OPENSSH_MAGIC));
	struct wire_string cipher = wire_string(&wire), kdf = wire_string(&wire);
	wire_string(&wire);
	uint32_t keys = wire_uint32(&wire);
	if (!wire.bad && (!wire_same(cipher, "none") || !wire_same(kdf, "none"))) {
		err_set(err, ERR_CONFIG, "the private key has a passphrase");
		return err_hint(err, WAY_OUT);
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

int ssh_private_key_parse(const char *text, size_t len, struct ssh_private_key **out,
			  struct err *err)
{
	char base64[PRIVATE_MAX];
	uint8_t bytes[PRIVATE_MAX];
	size_t head = strlen(OPENSSH_HEADER), count = 0;
	int result = -1;
	*out = NULL;
	const char *footer = len < sizeof(base64) ? find_bytes(text, len, OPENSSH_FOOTER) : NULL;
	if (!footer || len < head || memcmp(text, OPENSSH_HEADER, head) != 0 ||
	    footer < text + head) {
		err_set(err, ERR_FORMAT, "not an OpenSSH private key file");
		return err_hint(err, "ssh-keygen -t ed25519 makes one; " WAY_OUT);
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

/*
 * Answers libcrypto's question for a passphrase with none, so that it never asks on the terminal.
 */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)writing;
	if (size > 0)
		buffer[0] = '\0';
	*(bool *)asked = true;
	return -1;
}

int ssh_private_key_parse_pem(const char *text, size_t len, struct ssh_private_key **out,
			      struct err *err)
{
	bool asked = false;
	*out = NULL;
	BIO *bio = len <= PRIVATE_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519)
		return take_private(pkey, out, err);
	if (pkey) {
		const char *name = EVP_PKEY_get0_type_name(pkey);
		err_set(err, ERR_FORMAT, "unsupported key type \"%s\"", name ? name : "unknown");
		err_hint(err, "an Ed25519 key is needed: openssl genpkey -algorithm ed25519");
	} else if (asked) {
		err_set(err, ERR_CONFIG, "the private key has a passphrase");
		err_hint(err, WAY_OUT);
	} else {
		err_set(err, ERR_FORMAT, "not a PKCS#8 PEM private key");
		err_hint(err, "openssl genpkey -algorithm ed25519 makes one");
	}
	EVP_PKEY_free(pkey);
	return -1;
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
		err_hint(err, "--key wants the private half; when that is in an agent or on a "
			      "token: " WAY_OUT);
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
	if (!pkey || !bio ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
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

const struct ssh_public_key *ssh_private_key_public(const struct ssh_private_key *key)
{
	return &key->public;
}

void ssh_private_key_free(struct ssh_private_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	OPENSSL_cleanse(key, sizeof(*key));
	free(key);
}
