/* Keys and signatures for the tests of the trust layer: also those that no honest program makes. */
#ifndef TRUST_FIXTURE_H
#define TRUST_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/rand.h>
#include "bundle_fixture.h"
#include "sshsig.h"
#include "text.h"

struct test_key {
	EVP_PKEY *pkey;
	uint8_t point[32];
	struct ssh_private_key *private; /* of the same key, read from PEM */
	struct ssh_public_key public;
};

static inline void put_string(struct buf *out, const void *bytes, size_t len)
{
	uint8_t head[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };
	buf_add(out, head, 4);
	buf_add(out, bytes, len);
}

static inline void put_text(struct buf *out, const char *text)
{
	put_string(out, text, strlen(text));
}

static inline struct test_key test_key_new(void)
{
	struct err err = ERR_INIT;
	struct test_key key = { 0 };
	struct buf pem = BUF_INIT(4096);
	uint8_t seed[32];
	size_t len = 32;
	OK(ssh_private_key_generate_pem(&pem, &err));
	OK(ssh_private_key_parse_pem(pem.data, pem.len, &key.private, &err));
	key.public = *ssh_private_key_public(key.private);
	buf_release(&pem);
	/* A second handle on a key of the test's own, to sign what sshsig_sign never would. */
	cr_assert_eq(RAND_bytes(seed, 32), 1);
	key.pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	cr_assert_eq(EVP_PKEY_get_raw_public_key(key.pkey, key.point, &len), 1);
	return key;
}

static inline void test_key_free(struct test_key *key)
{
	EVP_PKEY_free(key->pkey);
	ssh_private_key_free(key->private);
}

/* Every field of a signature blob; NULL and 0 give the honest value. */
struct forgery {
	uint32_t version;
	const char *magic, *name_space, *reserved, *hash, *key_type, *signature_type;
	const uint8_t *point;
	size_t point_len, signature_len; /* lengths on the wire */
	const char *key_tail, *signature_tail, *tail; /* trailing bytes at each level */
	const char *inner_name_space; /* in what is signed */
	bool add_order; /* S + L instead of S */
};

#define SAMPLE_NAMESPACE "plan.v1@pgdocket"

static inline void forge_to_sign(const struct forgery *f, const void *message, size_t len, struct buf *out)
{
	unsigned char digest[64];
	unsigned digest_len = 0;
	const char *hash = f->hash ? f->hash : "sha512";
	const EVP_MD *md = strcmp(hash, "sha256") == 0 ? EVP_sha256() : strcmp(hash, "sha1") == 0 ? EVP_sha1() : EVP_sha512();
	EVP_Digest(message, len, digest, &digest_len, md, NULL);
	buf_add_text(out, "SSHSIG");
	put_text(out, f->inner_name_space ? f->inner_name_space : f->name_space ? f->name_space : SAMPLE_NAMESPACE);
	put_text(out, f->reserved ? f->reserved : "");
	put_text(out, hash);
	put_string(out, digest, digest_len);
}

/* S + L, little-endian: valid as an equation, and what a lax verifier accepts. */
static inline void add_order(uint8_t s[32])
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
	                                   0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10 };
	unsigned carry = 0;
	for (int i = 0; i < 32; i++) {
		carry += (unsigned)s[i] + order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	cr_assert_eq(carry, 0);
}

static inline void forge(const struct test_key *key, const struct forgery *f, const void *message, size_t len,
                         struct buf *out)
{
	struct buf signed_bytes = BUF_INIT(65536), public = BUF_INIT(65536), inner = BUF_INIT(65536);
	uint8_t signature[80] = { 0 };
	size_t signature_len = 64;
	uint32_t version = f->version ? f->version - 1 : 1;
	uint8_t number[4] = { 0, 0, 0, (uint8_t)version };
	forge_to_sign(f, message, len, &signed_bytes);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	cr_assert_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey), 1);
	cr_assert_eq(EVP_DigestSign(context, signature, &signature_len, (uint8_t *)signed_bytes.data, signed_bytes.len), 1);
	EVP_MD_CTX_free(context);
	if (f->add_order)
		add_order(signature + 32);
	put_text(&public, f->key_type ? f->key_type : "ssh-ed25519");
	put_string(&public, f->point ? f->point : key->point, f->point_len ? f->point_len : 32);
	buf_add_text(&public, f->key_tail ? f->key_tail : "");
	put_text(&inner, f->signature_type ? f->signature_type : "ssh-ed25519");
	put_string(&inner, signature, f->signature_len ? f->signature_len : 64);
	buf_add_text(&inner, f->signature_tail ? f->signature_tail : "");
	buf_add_text(out, f->magic ? f->magic : "SSHSIG");
	buf_add(out, number, 4);
	put_string(out, public.data, public.len);
	put_text(out, f->name_space ? f->name_space : SAMPLE_NAMESPACE);
	put_text(out, f->reserved ? f->reserved : "");
	put_text(out, f->hash ? f->hash : "sha512");
	put_string(out, inner.data, inner.len);
	buf_add_text(out, f->tail ? f->tail : "");
	buf_release(&signed_bytes);
	buf_release(&public);
	buf_release(&inner);
}

#endif
