/* SHA-256 by libcrypto. */
#include "digest.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include "text.h"

void digest_of(const void *bytes, size_t len, struct digest *out)
{
	SHA256(bytes, len, out->bytes);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

void digest_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE])
{
	text_hex(digest->bytes, DIGEST_SIZE, out);
}

struct digest_text digest_text(const struct digest *digest)
{
	struct digest_text text;
	digest_hex(digest, text.hex);
	return text;
}

bool digest_parse(const char *hex, size_t len, struct digest *out)
{
	return text_unhex(hex, len, out->bytes, DIGEST_SIZE);
}

struct digest_stream *digest_start(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	return (struct digest_stream *)context;
}

void digest_add(struct digest_stream *stream, const void *bytes, size_t len)
{
	EVP_DigestUpdate((EVP_MD_CTX *)stream, bytes, len);
}

void digest_finish(struct digest_stream *stream, struct digest *out)
{
	EVP_DigestFinal_ex((EVP_MD_CTX *)stream, out->bytes, NULL);
	EVP_MD_CTX_free((EVP_MD_CTX *)stream);
}
