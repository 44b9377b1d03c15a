/* Object bodies: the first two bytes say the size that the row would declare, the rest is the compressed body. */
#include "codec.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	char *out = NULL, *again = NULL;
	void *packed = NULL;
	size_t packed_len;
	if (size < 2)
		return 0;
	size_t declared = (size_t)data[0] << 8 | data[1];
	if (!codec_inflate(data + 2, size - 2, declared, &out, &err)) {
		FUZZ_HOLDS(out[declared] == '\0');
		FUZZ_HOLDS(!codec_deflate(out, declared, &packed, &packed_len, &err));
		FUZZ_HOLDS(!codec_inflate(packed, packed_len, declared, &again, &err));
		FUZZ_HOLDS(memcmp(out, again, declared) == 0);
	} else {
		FUZZ_HOLDS(!out);
	}
	free(out);
	free(packed);
	free(again);
	return 0;
}
