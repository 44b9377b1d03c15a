/* A scratch directory and small bundles for the tests of bundles/. */
#ifndef BUNDLE_FIXTURE_H
#define BUNDLE_FIXTURE_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bundle.h"
#include "object.h"

#define OK(call) cr_assert_eq((call), 0, "%s: %s", #call, err.message)
#define FAILS(call, expected) \
	do { \
		err_clear(&err); \
		cr_assert_eq((call), -1, "%s succeeded", #call); \
		cr_assert_eq(err.code, (expected), "%s: code %d: %s", #call, (int)err.code, err.message); \
	} while (0)

static char scratch[64];

static int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void scratch_make(void)
{
	struct err err = ERR_INIT;
	/* In memory where that can be: every change of a bundle is synced. */
	snprintf(scratch, sizeof scratch, "%s/pgd-unit.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	cr_assert(mkdtemp(scratch));
	cr_assert_eq(chdir(scratch), 0);
	OK(bundle_process_init(&err));
}

static inline void scratch_drop(void)
{
	cr_assert_eq(chdir("/"), 0);
	nftw(scratch, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* A snapshot of one target with a few schemas, and rows in every other table. */
static inline void bundle_fill(struct db *db, int schemas)
{
	struct err err = ERR_INIT;
	struct digest conf, facts, state, shape, up;
	struct db_query *query = NULL;
	OK(object_put(db, "configuration", "[target]\nlabel = x\n", 19, &conf, &err));
	OK(object_put(db, "facts", "{}", 2, &facts, &err));
	OK(object_put(db, "state", "none\n", 5, &state, &err));
	OK(object_put(db, "shape", "", 0, &shape, &err));
	OK(object_put(db, "migration", "CREATE TABLE a();\n", 18, &up, &err));
	OK(db_prepare(db, "INSERT INTO target VALUES (1, 'prod', '7000', 5, 'app', 150018, 0, 'public', ?1, ?2)", &query, &err));
	db_bind_blob(query, 1, conf.bytes, DIGEST_SIZE);
	db_bind_blob(query, 2, facts.bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
	OK(db_prepare(db, "INSERT INTO class VALUES (1, 0, 'tenant', NULL, ?1, ?2)", &query, &err));
	db_bind_blob(query, 1, state.bytes, DIGEST_SIZE);
	db_bind_blob(query, 2, shape.bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
	OK(db_prepare(db, "INSERT INTO schema VALUES (1, ?1, 0, 1, 1, ?2, 0, 0, 0)", &query, &err));
	for (int i = 0; i < schemas; i++) {
		char name[32];
		snprintf(name, sizeof name, "tenant_%05d", i);
		db_bind_text(query, 1, name);
		db_bind_int64(query, 2, 1000 + i);
		OK(db_run(query, &err));
	}
	db_finish(query);
	OK(db_prepare(db, "INSERT INTO migration VALUES (1, '1', 'first', '1_first.up.sql', ?1, NULL, NULL)", &query, &err));
	db_bind_blob(query, 1, up.bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
}

static inline void bundle_make(const char *path, int schemas)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	OK(bundle_edit(path, NULL, false, &edit, &err));
	bundle_fill(bundle_edit_db(edit), schemas);
	OK(bundle_edit_commit(edit, &err));
}

#endif
