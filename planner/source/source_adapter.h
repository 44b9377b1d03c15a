/*
 * What a layout adapter of planner/source/ offers source.c: which file names are its own, and how
 * files become parts. One file per layout; source.c holds the table of them.
 */
#ifndef PGDOCKET_SOURCE_ADAPTER_H
#define PGDOCKET_SOURCE_ADAPTER_H

#include "source.h"

struct source_file {
	const char *name; /* relative to the migrations folder */
	const char *text; /* NUL-terminated */
	size_t len;
};

/* What a file's name says; version and title live in the arena. */
struct source_name {
	const char *version, *title;
	bool down; /* the file holds the down part alone */
};

struct source_adapter {
	const char *name;
	const char *pattern; /* for people: what its files are called */
	/* *matches: the name is the layout's. ERR_CONFIG: it is, and is wrong. */
	int (*match)(struct arena *arena, const char *file, struct source_name *out, bool *matches,
		     struct err *err);
	/* For layout = auto, among files whose names match: is this file really the layout's? */
	bool (*recognise)(const struct source_file *file);
	int (*compare)(const char *a, const char *b);
	/* Make parts of the files: up always, down NULL when there is none. */
	int (*parts)(struct arena *arena, const struct source_file *up,
		     const struct source_file *down, struct source_migration *out, struct err *err);
	bool one_file; /* up and down stand in one file */
};

extern const struct source_adapter golang_migrate_source;
extern const struct source_adapter dbmate_source;

const struct source_adapter *source_adapter_find(const char *layout); /* NULL: unknown */
/* "golang-migrate, dbmate" */
const char *source_adapter_names(void);

/* The whole file as a part. */
struct source_part source_whole(const struct source_file *file);
/* Bytes of the decimal digits that name begins with. */
size_t source_digits(const char *name);

#endif
