/* Audit records. */
#include "arena.h"
#include "fuzz.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena *arena = arena_new(16u << 20);
	struct err err = ERR_INIT;
	struct record *record = NULL;
	FUZZ_HOLDS(arena);
	if (!record_parse(arena, text, size, &record, &err)) {
		FUZZ_HOLDS(size <= RECORD_MAX_BYTES && strlen(record->run) == 32 && record->seq >= 0);
		for (size_t i = 0; i < record->keys; i++)
			FUZZ_HOLDS(record_get(record, record->key[i]) == record->value[i]);
	}
	arena_free(arena);
	free(text);
	return 0;
}
