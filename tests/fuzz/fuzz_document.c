/*
 * Plan documents: the bytes that a signed statement would name, read with the connection that reads bundles. The digest holds by
 * construction; everything behind it must refuse or give a graph whose references are in range.
 */
#include <unistd.h>
#include "bundle.h"
#include "document.h"
#include "fuzz.h"
#include "object.h"

/* What tests/corpora/document/plan.json names, so that mutations of it can be read to the end. */
static const struct { const char *kind, *text; } objects[] = {
	{ "configuration", "[target]\nlabel = x\n" }, { "facts", "{}" }, { "state", "none\n" }, { "shape", "" },
	{ "migration", "CREATE TABLE a();\n" }, { "statement", "CREATE TABLE a()" }, { "statement", "DROP TABLE b" },
	{ "statement", "ALTER TABLE users ADD x int" }, { "query", "SELECT 'state'" }, { "query", "SELECT oid, fingerprint" },
	{ "statement", "INSERT INTO schema_migrations VALUES (1, false)" }, { "state", "golang-migrate\n1 f\n" },
	{ "state", "golang-migrate\n2 f\n" },
};

static struct db *work(void)
{
	static struct db *db;
	struct err err = ERR_INIT;
	char path[64];
	if (db)
		return db;
	snprintf(path, sizeof path, "/tmp/pgd-fuzz-document.%ld", (long)getpid());
	FUZZ_HOLDS(!bundle_create_at(path, &db, &err));
	unlink(path);
	FUZZ_HOLDS(!db_exec(db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", &err));
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		struct digest digest;
		FUZZ_HOLDS(!object_put(db, objects[i].kind, objects[i].text, strlen(objects[i].text), &digest, &err));
	}
	return db;
}

static void in_range(const struct document *document)
{
	for (size_t i = 0; i < document->schemas; i++)
		FUZZ_HOLDS((size_t)document->schema[i].class_index < document->classes &&
		           (size_t)document->schema[i].wave < document->waves);
	for (size_t i = 0; i < document->classes; i++)
		FUZZ_HOLDS((size_t)document->class[i].program < document->programs);
	for (size_t i = 0; i < document->programs; i++)
		FUZZ_HOLDS(document->program[i].segments > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest;
	struct document *document = NULL;
	FUZZ_HOLDS(!db_begin(db, &err));
	FUZZ_HOLDS(!object_put(db, "document", data, size, &digest, &err));
	FUZZ_HOLDS(!db_exec(db, "INSERT INTO plan SELECT 1, x'', digest FROM object WHERE kind = 'document'", &err));
	if (!document_load(db, &digest, (int64_t)size, &document, &err))
		in_range(document);
	else
		FUZZ_HOLDS(err_exit_status(&err) == 3 && err.reason[0]);
	document_free(document);
	db_rollback(db);
	return 0;
}
