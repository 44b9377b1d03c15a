/* The key types that may sign, and their verification with libcrypto (OpenSSH PROTOCOL.sshsig, RFC
 * 8709, RFC 8032). Nothing here decides who a key belongs to. */
#include "keytype.h"
#include <openssl/evp.h>
#include <string.h>
#include "text.h"

#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64

/* The y coordinates of the eight points of small order (RFC 8032's curve; the sign bit of x left
 * out): under such a key one signature fits many messages. */
static const uint8_t small_order[][ED25519_KEY_SIZE] = {
	{ 0 },
	{ 1 },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
		0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
		0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
		0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
		0x03, 0x7a },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0x7f },
};

/* y = p .. 2^255-1 has a second, canonical spelling below p = 2^255-19; two spellings would be two
 * fingerprints. */
static bool ed25519_canonical(const uint8_t y[ED25519_KEY_SIZE])
{
	if (y[31] != 0x7f || y[0] < 0xed)
		return true;
	for (int i = 1; i < 31; i++)
		if (y[i] != 0xff)
			return true;
	return false;
}

static const char *ed25519_key(struct wire key)
{
	uint8_t y[ED25519_KEY_SIZE];
	struct wire_string point = wire_string(&key);
	if (!wire_done(&key) || point.len != ED25519_KEY_SIZE)
		return "the public key is not 32 bytes";
	memcpy(y, point.bytes, sizeof(y));
	y[31] &= 0x7f;
	if (!ed25519_canonical(y))
		return "the public key is not in its canonical form";
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return "the public key is a point of small order";
	return NULL;
}

/* EVP_DigestVerify also answers negative numbers; it refuses S >= L: no second valid signature. */
static const char *ed25519_verify(
	struct wire key, struct wire signature, const void *to_sign, size_t len)
{
	struct wire_string point = wire_string(&key), sig = wire_string(&signature);
	if (!wire_done(&signature) || sig.len != ED25519_SIGNATURE_SIZE)
		return "the signature is not 64 bytes";
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.bytes, point.len);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = pkey && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestVerify(context, sig.bytes, sig.len, to_sign, len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return valid ? NULL : "the signature does not fit the bytes";
}

static const struct keytype types[] = { { KEYTYPE_ED25519, false, ed25519_key, ed25519_verify } };

const struct keytype *keytype_find(struct wire_string name, struct err *err)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (wire_same(name, types[i].name))
			return &types[i];
	struct buf shown = BUF_INIT(512);
	text_safe(&shown, (const char *)name.bytes, name.len < 64 ? name.len : 64);
	err_set_hint(err, ERR_FORMAT,
		"keys of type " KEYTYPE_ED25519 " can sign: ssh-keygen -t ed25519",
		"unsupported key type \"%s\"", buf_text(&shown));
	buf_release(&shown);
	return NULL;
}

const struct keytype *keytype_of_blob(const void *blob, size_t len, struct err *err)
{
	struct wire wire = wire_open(blob, len);
	struct wire_string name = wire_string(&wire);
	if (wire.bad) {
		err_set(err, ERR_FORMAT, "the public key is cut off");
		return NULL;
	}
	const struct keytype *type = keytype_find(name, err);
	const char *wrong = type ? type->key(wire) : NULL;
	if (wrong)
		err_set(err, ERR_FORMAT, "%s: %s", type->name, wrong);
	return wrong ? NULL : type;
}
