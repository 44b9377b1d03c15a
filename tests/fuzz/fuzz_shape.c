/* Shapes as the server gives them. */
#include "arena.h"
#include "fuzz.h"
#include "shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena *arena = arena_new(64u << 20);
	struct err err = ERR_INIT;
	struct shape *shape = NULL;
	FUZZ_HOLDS(arena);
	if (!shape_parse(arena, text, size, &shape, &err))
		for (size_t i = 0; i < shape->objects; i++)
			FUZZ_HOLDS(shape->object[i].kind && shape->object[i].name);
	arena_free(arena);
	free(text);
	return 0;
}
