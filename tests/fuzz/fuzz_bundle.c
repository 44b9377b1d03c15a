/*
 * Bundle files: any bytes are refused with a reason, or open and can be read to the end. The header's own numbers are put right when
 * they are near enough, so that mutations get past it.
 */
#include <unistd.h>
#include "bundle.h"
#include "fuzz.h"

static void put_size(uint8_t *bytes, size_t size)
{
	uint32_t pages = (uint32_t)(size / 4096);
	for (int i = 0; i < 4; i++) {
		bytes[28 + i] = (uint8_t)(pages >> (24 - 8 * i));
		bytes[92 + i] = bytes[24 + i];
	}
}

static void read_all(struct db *db)
{
	static const char *const tables[] = { "object", "target", "schema", "migration", "plan", "signature", "run", "receipt" };
	struct err err = ERR_INIT;
	struct digest snapshot;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		char sql[64];
		struct db_query *query = NULL;
		bool row = true;
		snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[i]);
		FUZZ_HOLDS(!db_prepare(db, sql, &query, &err));
		while (row)
			FUZZ_HOLDS(!db_step(query, &row, &err));
		db_finish(query);
	}
	FUZZ_HOLDS(!bundle_snapshot_digest(db, &snapshot, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	char path[64], *bytes = fuzz_text(data, size);
	snprintf(path, sizeof path, "/tmp/pgd-fuzz-bundle.%ld", (long)getpid());
	if (size >= 4096)
		put_size((uint8_t *)bytes, size);
	FILE *file = fopen(path, "wb");
	FUZZ_HOLDS(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
	if (!bundle_open(path, &bundle, &err))
		read_all(bundle_db(bundle));
	else
		FUZZ_HOLDS(err_exit_status(&err) == 3 && err.message[0] && err.hint[0]);
	bundle_close(bundle);
	unlink(path);
	free(bytes);
	return 0;
}
