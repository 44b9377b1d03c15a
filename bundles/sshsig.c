/* SSHSIG (OpenSSH PROTOCOL.sshsig): framing, signing, verifying. Stricter than ssh-keygen: what is
 * accepted here ssh-keygen accepts, not the reverse. Whether the key that signed is trusted is not
 * asked here. */
#include "sshsig.h"
#include <openssl/evp.h>
#include <string.h>
#include "keytype.h"
#include "sshkey.h"
#include "text.h"

#define MAGIC "SSHSIG"
#define VERSION 1

struct hash {
	const char *name;
	const EVP_MD *(*md)(void);
};
static const struct hash hashes[] = { { "sha512", EVP_sha512 }, { "sha256", EVP_sha256 } };

/* What the key signs: the namespace and the digest of the message, never the message itself. */
static int to_sign(const struct hash *hash, const char *name_space, const void *message, size_t len,
	struct buf *out, struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	if (EVP_Digest(message, len, digest, &digest_len, hash->md(), NULL) != 1)
		return err_set(err, ERR_BUG, "libcrypto has no %s", hash->name);
	buf_add(out, MAGIC, strlen(MAGIC));
	wire_put_text(out, name_space);
	wire_put_text(out, "");
	wire_put_text(out, hash->name);
	wire_put_string(out, digest, digest_len);
	return buf_check(out, err);
}

int sshsig_sign(const struct ssh_private_key *key, const char *name_space, const void *message,
	size_t len, struct buf *out, struct err *err)
{
	unsigned char signature[64];
	size_t signature_len = sizeof(signature);
	struct buf bytes = BUF_INIT(SSHSIG_MAX_BYTES), inner = BUF_INIT(SSHSIG_MAX_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int result = -1;
	if (to_sign(&hashes[0], name_space, message, len, &bytes, err))
		goto out;
	if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) != 1 ||
		EVP_DigestSign(context, signature, &signature_len, (const unsigned char *)bytes.data,
			bytes.len) != 1) {
		err_set(err, ERR_BUG, "libcrypto does not sign with this key");
		goto out;
	}
	wire_put_text(&inner, KEYTYPE_ED25519);
	wire_put_string(&inner, signature, signature_len);
	buf_add(out, MAGIC, strlen(MAGIC));
	wire_put_uint32(out, VERSION);
	wire_put_string(out, key->public.blob, key->public.blob_len);
	wire_put_text(out, name_space);
	wire_put_text(out, "");
	wire_put_text(out, hashes[0].name);
	wire_put_string(out, buf_text(&inner), inner.len);
	if (buf_check(&inner, err) || buf_check(out, err))
		goto out;
	result = 0;
out:
	EVP_MD_CTX_free(context);
	buf_release(&inner);
	buf_release(&bytes);
	return result;
}

/* The fields of a signature blob, borrowed from it. */
struct parts {
	struct wire_string key, name_space, reserved, hash, signature;
};

static const char *take_apart(const uint8_t *blob, size_t len, struct parts *parts)
{
	struct wire wire = wire_open(blob, len);
	if (len > SSHSIG_MAX_BYTES)
		return "it is larger than a signature can be";
	if (!wire_magic(&wire, MAGIC, strlen(MAGIC)))
		return "it does not begin with SSHSIG";
	if (wire_uint32(&wire) != VERSION)
		return "its version is not 1";
	parts->key = wire_string(&wire);
	parts->name_space = wire_string(&wire);
	parts->reserved = wire_string(&wire);
	parts->hash = wire_string(&wire);
	parts->signature = wire_string(&wire);
	if (!wire_done(&wire))
		return "it is cut off or has bytes behind its end";
	return parts->reserved.len ? "its reserved field is not empty" : NULL;
}

static const struct hash *find_hash(struct wire_string name)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (wire_same(name, hashes[i].name))
			return &hashes[i];
	return NULL;
}

static int refuse(struct err *err, const char *why)
{
	return err_refuse(err, "signature", "the signature is refused: %s", why);
}

/* Type, key and hash are known, and the signature is of the key's type; then libcrypto decides. */
static int verify_parts(const struct parts *parts, const char *name_space, const void *message,
	size_t len, struct err *err)
{
	struct err inner = ERR_INIT;
	struct buf bytes = BUF_INIT(SSHSIG_MAX_BYTES);
	struct wire key = wire_open(parts->key.bytes, parts->key.len);
	struct wire signature = wire_open(parts->signature.bytes, parts->signature.len);
	const struct keytype *type = keytype_of_blob(parts->key.bytes, parts->key.len, &inner);
	const struct hash *hash = find_hash(parts->hash);
	if (!type) {
		refuse(err, inner.message);
		return err_hint(err, "%s", inner.hint);
	}
	wire_string(&key);
	struct wire_string signature_type = wire_string(&signature);
	if (!hash)
		return refuse(err, "its hash is neither sha512 nor sha256");
	if (!wire_same(signature_type, type->name))
		return refuse(err, "key and signature are of different types");
	int result = to_sign(hash, name_space, message, len, &bytes, err);
	const char *why = result ? NULL : type->verify(key, signature, bytes.data, bytes.len);
	buf_release(&bytes);
	return why ? refuse(err, why) : result;
}

int sshsig_verify(const uint8_t *blob, size_t blob_len, const char *name_space, const void *message,
	size_t len, struct ssh_public_key *key, struct err *err)
{
	struct parts parts;
	const char *why = take_apart(blob, blob_len, &parts);
	memset(key, 0, sizeof(*key));
	if (why)
		return refuse(err, why);
	if (parts.key.len > sizeof(key->blob))
		return refuse(err, "its key is larger than a key can be");
	if (!wire_same(parts.name_space, name_space)) {
		struct buf shown = BUF_INIT(512);
		text_safe(&shown, (const char *)parts.name_space.bytes,
			parts.name_space.len < 64 ? parts.name_space.len : 64);
		err_refuse(err, "signature",
			"the signature is refused: it was made in namespace \"%s\", not %s", buf_text(&shown),
			name_space);
		buf_release(&shown);
		return err_hint(err, "ssh-keygen -Y sign -n %s", name_space);
	}
	if (verify_parts(&parts, name_space, message, len, err))
		return -1;
	memcpy(key->blob, parts.key.bytes, parts.key.len);
	key->blob_len = parts.key.len;
	return 0;
}
