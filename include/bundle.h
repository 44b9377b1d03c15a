/*
 * The bundle file: opened only as a private, hardened, read-only copy (TRUST.md b.1, b.2), changed
 * only by writing a complete new file beside it and renaming (PROTOCOL.md, last section). FORMAT.md
 * describes the tables; db.h reads them.
 */
#ifndef PGDOCKET_BUNDLE_H
#define PGDOCKET_BUNDLE_H

#include <sys/stat.h>
#include "db.h"
#include "digest.h"
#include "buf.h"

#define BUNDLE_APPLICATION_ID 0x7067646b /* "pgdk" */
#define BUNDLE_VERSION 1
#define BUNDLE_MAX_BYTES (1024ll << 20)

struct bundle;      /* open for reading */
struct bundle_edit; /* a new file in the making */

/*
 * Once per process, first thing: SIGPIPE and SIGXFSZ ignored, umask 077, fds 0-2 open, no core,
 * SQLite's limits.
 */
int bundle_process_init(struct err *err) MUST_CHECK;

/*
 * Errors: ERR_IO      cannot be opened or copied
 *         ERR_FORMAT  not a regular file with one link, has -journal/-wal/-shm siblings, header,
 *                     schema, integrity_check
 *         ERR_VERSION user_version above BUNDLE_VERSION
 *         ERR_LIMIT   larger than BUNDLE_MAX_BYTES
 */
int bundle_open(const char *path, struct bundle **out, struct err *err) MUST_CHECK;
void bundle_close(struct bundle *bundle); /* removes the private copy; NULL is fine */
struct db *bundle_db(struct bundle *bundle);
const char *bundle_path(const struct bundle *bundle);
struct bundle_origin {    /* the file that a bundle was read from */
	struct stat stat;
	struct digest digest; /* of the bytes that were read */
};
const struct bundle_origin *bundle_origin(const struct bundle *bundle);
/* SHA-256 of the file as it was received. */
const struct digest *bundle_digest(const struct bundle *bundle);

/*
 * Begin a new file for path. from: the bundle whose rows it starts with (all of them), or NULL for
 * an empty one. When path is from's own, commit replaces it only while it is still the file that
 * was read (inode, size, mtime, SHA-256), under flock; else ERR_UNFIT with a hint to run the
 * command again. Otherwise commit refuses an existing file unless overwrite.
 */
int bundle_edit(const char *path, struct bundle *from, bool overwrite, struct bundle_edit **out,
		struct err *err) MUST_CHECK;
struct db *bundle_edit_db(struct bundle_edit *edit); /* in a transaction until commit */
/* Consumes edit, also when it fails: then path is what it was. */
int bundle_edit_commit(struct bundle_edit *edit, struct err *err) MUST_CHECK;
void bundle_edit_abort(struct bundle_edit *edit); /* NULL is fine */

/* The pieces, for the applier's working copy. */
/* our tables in an empty file that exists already (0600, made by the caller) */
int bundle_create_in(const char *path, struct db **out, struct err *err) MUST_CHECK;
/* a new file, our DDL, journal settings of TRUST.md b.3 */
int bundle_create_at(const char *path, struct db **out, struct err *err) MUST_CHECK;
/* a file of our own, schema compared */
int bundle_reopen_at(const char *path, struct db **out, struct err *err) MUST_CHECK;
/* the same, for status while a run goes on */
int bundle_reopen_readonly_at(const char *path, struct db **out, struct err *err) MUST_CHECK;
void bundle_close_db(struct db *db);
/* every table, in key order, into empty ones; in a transaction of the caller's */
int bundle_copy_rows(struct db *from, struct db *to, struct err *err) MUST_CHECK;
/*
 * What from has more of one plan, signatures and runs, into a bundle of the same plan; in a
 * transaction of the caller's. ERR_REFUSED reason "audit": both have a record that differs.
 */
int bundle_unite(struct db *from, struct db *to, struct err *err) MUST_CHECK;
/*
 * Export work to path: VACUUM INTO a new file beside it, verified, fsync, rename. expected: the
 * bundle as it was read; when path is something else by now the file goes to alternative instead
 * and *diverted is set. Owner and mode kept where permitted.
 */
int bundle_export(const char *work_path, const char *path, const struct bundle *expected,
		  const char *alternative, bool *diverted, struct err *err) MUST_CHECK;

/* SHA-256 over the snapshot's rows (tables target, schema) as FORMAT.md serialises them. */
int bundle_snapshot_digest(struct db *db, struct digest *out, struct err *err) MUST_CHECK;

#endif
