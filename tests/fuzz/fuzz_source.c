/* Migration files of each layout, and states as history tables give them. */
#include <sys/stat.h>
#include <unistd.h>
#include "arena.h"
#include "fuzz.h"
#include "history.h"
#include "source.h"

static char folder[] = "/tmp/fuzz_source.XXXXXX", path[64];

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void write_file(const uint8_t *data, size_t size)
{
	if (!path[0]) {
		FUZZ_HOLDS(mkdtemp(folder));
		snprintf(path, sizeof(path), "%s/20240101000001_x.sql", folder);
		atexit(remove_folder);
	}
	FILE *file = fopen(path, "wb");
	FUZZ_HOLDS(file && fwrite(data, 1, size, file) == size);
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena *arena = arena_new(64u << 20);
	struct err err = ERR_INIT;
	struct source source;
	struct history_state state;
	memset(&source, 0, sizeof(source));
	FUZZ_HOLDS(arena);
	write_file(data, size);
	if (!source_load(arena, folder, "dbmate", &source, &err))
		for (size_t i = 0; i < source.migrations; i++) {
			const struct source_part *up = &source.migration[i].up;
			FUZZ_HOLDS(up->start <= up->end && up->end <= up->len && up->first_line >= 1);
		}
	else
		memset(&source, 0, sizeof(source));
	err_clear(&err);
	if (!history_read_state(arena, text, size, &source, &state, &err))
		FUZZ_HOLDS(state.applied_count <= source.migrations);
	arena_free(arena);
	free(text);
	return 0;
}
