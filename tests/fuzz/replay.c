/*
 * Runs a fuzz target over its corpus (replay_X: tests/corpora/X) without libFuzzer, for make check: every file as it is, cut at every length, and with each
 * byte changed in a few ways. TAP on stdout; a crash or a violated property ends the program, which the runner counts.
 */
#include <dirent.h>
#include "fuzz.h"

#define FILE_MAX 65536
#define VARIANTS_MAX 4000 /* per file and kind: longer files are sampled */

static long tried;

static void try_bytes(const uint8_t *bytes, size_t len)
{
	/* An allocation of exactly this size, so that a read behind the end is seen. */
	uint8_t *copy = malloc(len ? len : 1);
	FUZZ_HOLDS(copy);
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	tried++;
}

static void try_variants(uint8_t *bytes, size_t len)
{
	static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };
	size_t step = len / VARIANTS_MAX + 1;
	try_bytes(bytes, len);
	for (size_t i = 0; i < len; i += step)
		try_bytes(bytes, i);
	for (size_t i = 0; i < len; i += step * 2) {
		uint8_t mask = masks[i / step % sizeof(masks)];
		bytes[i] ^= mask;
		try_bytes(bytes, len);
		bytes[i] ^= mask;
	}
}

static int replay(const char *folder, const char *name)
{
	static uint8_t bytes[FILE_MAX];
	char path[8192];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return 0;
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	try_variants(bytes, len);
	return 1;
}

int main(int argc, char **argv)
{
	char path[4096];
	int files = 0;
	const char *name = argc == 1 ? strstr(argv[0], "replay_") : NULL;
	snprintf(path, sizeof(path), "tests/corpora/%s", name ? name + strlen("replay_") : "");
	DIR *folder = name ? opendir(path) : NULL;
	if (!folder) {
		fprintf(stderr, "%s: no corpus %s; run from the top of the tree, without arguments\n", argv[0], path);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			files += replay(path, entry->d_name);
	closedir(folder);
	printf("%s 1 - %d files, %ld inputs\n1..1\n", files ? "ok" : "not ok", files, tried);
	return files ? 0 : 1;
}
