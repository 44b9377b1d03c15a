/* Base64 as the files and texts of the planner have it; the applier only reads it. */
#include <openssl/evp.h>
#include "text.h"

void text_base64(struct buf *out, const void *bytes, size_t len)
{
	unsigned char four[5];
	for (size_t i = 0; i < len; i += 3)
		buf_add(out, four,
			(size_t)EVP_EncodeBlock(
				four, (const unsigned char *)bytes + i, len - i < 3 ? (int)(len - i) : 3));
}
