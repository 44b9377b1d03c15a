/*
 * Migration folders: one adapter per layout, one table of adapters, no adapter known outside its
 * file. Migrations come back in the layout's own order, with versions as its history table records
 * them.
 */
#ifndef PGDOCKET_SOURCE_H
#define PGDOCKET_SOURCE_H

#include <stdbool.h>
#include "arena.h"
#include "db.h"
#include "digest.h"

struct source_part {
	const char *file;   /* path shown to people, relative to the migrations folder */
	const char *text;   /* the whole file, or made of it where blocks had to be joined */
	size_t len;
	size_t start, end;  /* the part of text that belongs to this direction */
	int first_line;     /* of text[start], from 1 */
	bool transaction_off; /* said by the layout itself (dbmate's transaction:false) */
	const char *file_text; /* the file as it is on disk */
	size_t file_len;
};

struct source_migration {
	const char *version;    /* as the history table has it: "3", "20240101000003" */
	const char *name;
	bool has_down;
	struct source_part up, down;
};

struct source {
	const char *layout;     /* "golang-migrate", "dbmate" */
	size_t migrations;
	struct source_migration *migration; /* in order */
};

/*
 * dir: the folder. layout: "auto" or a name. ERR_CONFIG: no such folder, layout not recognised
 * (says what was looked for) or not known, two migrations with one version (both named), an up part
 * missing.
 */
int source_load(struct arena *arena, const char *dir, const char *layout, struct source *out,
		struct err *err) MUST_CHECK;
/*
 * Keep the migrations in a bundle (tables migration and object), and read them back. layout is kept
 * by the configuration's side.
 */
int source_store(const struct source *source, struct db *bundle, struct err *err) MUST_CHECK;
int source_restore(struct arena *arena, struct db *bundle, const char *layout, struct source *out,
		   struct err *err) MUST_CHECK;
/* -1 a before b, 0 same, 1 after: the layout's own order of versions. */
int source_compare_versions(const char *layout, const char *a, const char *b);
/* Index into source->migration, or -1. */
int source_find(const struct source *source, const char *version);

#endif
