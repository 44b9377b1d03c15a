/*
 * What every fuzz target shares: libFuzzer's entry, and FUZZ_HOLDS for properties (a violation aborts, which libFuzzer and
 * replay.c both report). A target must accept any bytes; its seeds are tests/corpora/<name without fuzz_>/.
 */
#ifndef PGDOCKET_FUZZ_H
#define PGDOCKET_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_HOLDS(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input with a NUL behind it, as files are read; the caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	FUZZ_HOLDS(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
