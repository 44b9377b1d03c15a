/* Public keys as OpenSSH writes them, and private keys once their bytes are known: from a seed, or
 * from OpenSSL's PEM. It opens no file. */
#include "sshkey.h"
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include "keytype.h"
#include "text.h"

#define PRIVATE_MAX 16384

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
	if (!type_len || !base64_len || !text_unbase64(line + at, base64_len, blob))
		return err_set_hint(err, ERR_FORMAT, "give the .pub file that ssh-keygen wrote",
			"not a public key: \"type base64 [comment]\" was expected");
	struct wire wire = wire_open(blob->data, blob->len);
	struct wire_string inner = wire_string(&wire);
	if (wire.bad || inner.len != type_len || memcmp(inner.bytes, line, type_len) != 0)
		return err_set(err, ERR_FORMAT, "the key is not of the type that stands in front of it");
	return 0;
}

static int take_public(const void *blob, size_t len, struct ssh_public_key *out, struct err *err)
{
	if (len > sizeof(out->blob))
		return err_set(err, ERR_LIMIT, "a public key of %zu bytes; at most %zu are allowed", len,
			sizeof(out->blob));
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
	if (len && line[len - 1] == '\n')
		len--;
	if (len && line[len - 1] == '\r')
		len--;
	if (memchr(line, '\n', len) || memchr(line, '\r', len) || memchr(line, '\0', len))
		return err_set_hint(err, ERR_FORMAT, "give the .pub file that ssh-keygen wrote",
			"a public key is one line");
	int result = sshkey_decode(line, len, &blob, err) || take_public(blob.data, blob.len, out, err)
		? -1
		: 0;
	buf_release(&blob);
	return result;
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
	uint8_t point[SSH_KEY_SEED_SIZE];
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

int ssh_private_key_from_seed(
	const uint8_t seed[SSH_KEY_SEED_SIZE], struct ssh_private_key **out, struct err *err)
{
	return take_private(
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SSH_KEY_SEED_SIZE), out, err);
}

/* Answers libcrypto's question for a passphrase with none: it never asks on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)writing;
	if (size > 0)
		buffer[0] = '\0';
	*(bool *)asked = true;
	return -1;
}

int ssh_private_key_parse_pem(
	const char *text, size_t len, struct ssh_private_key **out, struct err *err)
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
		err_set_hint(err, ERR_FORMAT,
			"an Ed25519 key is needed: openssl genpkey -algorithm ed25519",
			"unsupported key type \"%s\"", name ? name : "unknown");
	} else if (asked) {
		err_set_hint(err, ERR_CONFIG, SSH_KEY_WAY_OUT, "the private key has a passphrase");
	} else {
		err_set_hint(err, ERR_FORMAT, "openssl genpkey -algorithm ed25519 makes one",
			"not a PKCS#8 PEM private key");
	}
	EVP_PKEY_free(pkey);
	return -1;
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
