/* Opens bundles: foreign ones as a hardened, immutable copy whose schema equals schema.sql byte for
 * byte (TRUST.md b.2), our own working files for writing (b.3). It never opens a received file
 * itself, and never writes to one. */
#include "bundle.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "db_sqlite.h"
#include "quarantine.h"
#include "sql.h"
#include "text.h"

#define BUNDLE_HEAP_BYTES (256ll << 20)
#define BUNDLE_SCHEMA_MAX (64u << 10)

struct bundle {
	struct db *db;
	struct quarantine received;
};

/* b.2's limits: a row is an object's body and little else; the rest is far above our own needs. */
static const struct {
	int id, value;
} bundle_limits[] = { { SQLITE_LIMIT_LENGTH, (64 << 20) + (64 << 10) },
	{ SQLITE_LIMIT_SQL_LENGTH, 100000 }, { SQLITE_LIMIT_COLUMN, 64 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 64 }, { SQLITE_LIMIT_COMPOUND_SELECT, 8 },
	{ SQLITE_LIMIT_VDBE_OP, 25000 }, { SQLITE_LIMIT_FUNCTION_ARG, 8 }, { SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50 }, { SQLITE_LIMIT_VARIABLE_NUMBER, 32 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 }, { SQLITE_LIMIT_WORKER_THREADS, 0 } };

/* What a statement on a foreign file may use; everything else is denied when it is prepared. */
static const char *const bundle_functions[] = { "abs", "avg", "cast", "coalesce", "count", "format",
	"glob", "group_concat", "hex", "ifnull", "instr", "json_array", "json_each", "json_extract",
	"json_type", "json_valid", "length", "like", "lower", "max", "min", "nullif", "printf", "quote",
	"replace", "row_number", "substr", "sum", "total", "typeof", "upper", "json_array_length",
	"json_group_array", "json_group_object", "json_object", "->", "->>", NULL };
static const char *const bundle_pragmas[] = { "application_id", "cell_size_check", "encoding",
	"freelist_count", "integrity_check", "mmap_size", "query_only", "temp_store", "trusted_schema",
	"user_version", NULL };

static int bundle_authorize(void *context, int action, const char *first, const char *second,
	const char *database, const char *trigger)
{
	(void)context, (void)database, (void)trigger;
	bool allowed = action == SQLITE_SELECT || action == SQLITE_READ ||
		(action == SQLITE_FUNCTION && text_among(bundle_functions, second)) ||
		(action == SQLITE_PRAGMA && text_among(bundle_pragmas, first));
	return allowed ? SQLITE_OK : SQLITE_DENY;
}

int bundle_process_init(struct err *err)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	umask(077);
	prctl(PR_SET_DUMPABLE, 0); /* keys are held: no core, no look inside */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return err_set_errno(err, ERR_IO, "/dev/null cannot be opened");
	if (sqlite3_libversion_number() < 3040000)
		return err_set_hint(err, ERR_UNFIT, "Install SQLite 3.40 or newer.", "SQLite %s is too old",
			sqlite3_libversion());
	sqlite3_hard_heap_limit64(BUNDLE_HEAP_BYTES);
	return 0;
}

/* Quoted by SQLite, so that no name can pass for two. */
static int bundle_schema_line(struct db_query *query, void *context, struct err *err)
{
	struct buf *lines = context;
	const char *line = NULL;
	if (db_get_text(query, 0, &line, NULL, err))
		return -1;
	buf_add_text(lines, line);
	buf_add_char(lines, '\n');
	return 0;
}

static int bundle_schema_lines(struct db *db, struct buf *lines, struct err *err)
{
	return db_each_of(db,
		"SELECT quote(type) || quote(name) || quote(tbl_name) || quote(sql) FROM sqlite_schema "
		"ORDER BY rowid", bundle_schema_line, lines, err);
}

static int bundle_check_schema(struct db *db, struct err *err)
{
	struct buf theirs = BUF_INIT(BUNDLE_SCHEMA_MAX), expected = BUF_INIT(BUNDLE_SCHEMA_MAX);
	struct db *ours = NULL;
	int rc = db_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "schema.sql", &ours,
				 err) ||
		db_exec(ours, sql_schema, err) || bundle_schema_lines(ours, &expected, err) ||
		buf_check(&expected, err) || bundle_schema_lines(db, &theirs, err);
	if (!rc && (theirs.failed || strcmp(buf_text(&theirs), buf_text(&expected)) != 0))
		rc = err_set_hint(err, ERR_FORMAT,
			"Only tables exactly as in FORMAT.md are read; get the file again from where it was "
			"written.",
			"%s is not a bundle, or was altered: its tables are not those of the format", db->name);
	db_close(ours);
	buf_release(&theirs);
	buf_release(&expected);
	return rc ? -1 : 0;
}

static int bundle_check_integrity(struct db *db, struct err *err)
{
	struct db_query *query = NULL;
	const char *answer = NULL;
	bool row = false;
	int rc = -1;
	if (db_prepare(db, "PRAGMA integrity_check(1)", &query, err) || db_step(query, &row, err))
		goto out;
	if (!row || db_get_text(query, 0, &answer, NULL, err) || strcmp(answer, "ok") != 0) {
		err_set_hint(err, ERR_FORMAT, "Copy it again from where it was written.",
			"%s is damaged: %s", db->name, answer ? answer : "it cannot be checked");
		goto out;
	}
	rc = 0;
out:
	db_finish(query);
	return rc;
}

static int bundle_harden(struct db *db, struct err *err)
{
	for (size_t i = 0; i < sizeof bundle_limits / sizeof *bundle_limits; i++)
		sqlite3_limit(db->handle, bundle_limits[i].id, bundle_limits[i].value);
	sqlite3_set_authorizer(db->handle, bundle_authorize, NULL);
	return db_exec(db,
		"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA "
		"temp_store = MEMORY; PRAGMA query_only = ON",
		err);
}

/* SQLite makes its JSON tables when they are first used, and asks the authorizer as for an UPDATE
 * of sqlite_master then (3.40, tried). So they are made once, behind the check of the schema, while
 * nothing is asked. */
static int bundle_make_json(struct db *db, struct err *err)
{
	sqlite3_set_authorizer(db->handle, NULL, NULL);
	int rc = db_exec(db, "SELECT 1 FROM json_tree('[]'), json_each('[]')", err);
	sqlite3_set_authorizer(db->handle, bundle_authorize, NULL);
	return rc;
}

static int bundle_open_copy(struct bundle *bundle, struct err *err)
{
	char *uri = db_uri(bundle->received.copy, "?mode=ro&immutable=1", err);
	if (!uri)
		return -1;
	int rc = db_open(
		uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, bundle->received.path, &bundle->db, err);
	free(uri);
	/* SQLite holds the file open from here on: its name is of no more use, and a killed process
	 * leaves nothing behind. */
	quarantine_remove(&bundle->received);
	if (rc)
		return -1;
	bundle->db->judging = true;
	rc = bundle_harden(bundle->db, err) || bundle_check_schema(bundle->db, err) ||
		bundle_check_integrity(bundle->db, err) || bundle_make_json(bundle->db, err);
	bundle->db->judging = false;
	return rc ? -1 : 0;
}

/* One word for programs, and a way out where none was given with the failure itself. */
static int bundle_fail(struct err *err)
{
	if (err_exit_status(err) == 3 && !err->reason[0])
		snprintf(err->reason, sizeof err->reason, "bundle");
	if (err->code == ERR_IO)
		return err_hint(err, "Check that the file is there and that you may read it.");
	return err_hint(err, "Get the file again from where it was written.");
}

int bundle_open(const char *path, struct bundle **out, struct err *err)
{
	struct bundle *bundle = calloc(1, sizeof *bundle);
	if (!bundle)
		return err_nomem(err);
	if (quarantine_take(path, &bundle->received, err) || bundle_open_copy(bundle, err)) {
		bundle_close(bundle);
		return bundle_fail(err);
	}
	*out = bundle;
	return 0;
}

void bundle_close(struct bundle *bundle)
{
	if (!bundle)
		return;
	db_close(bundle->db);
	quarantine_release(&bundle->received);
	free(bundle);
}

struct db *bundle_db(struct bundle *bundle)
{
	return bundle->db;
}

const char *bundle_path(const struct bundle *bundle)
{
	return bundle->received.path;
}

const struct digest *bundle_digest(const struct bundle *bundle)
{
	return &bundle->received.origin.digest;
}

const struct bundle_origin *bundle_origin(const struct bundle *bundle)
{
	return &bundle->received.origin;
}

static int bundle_open_own(
	const char *path, const char *name, const char *pragmas, struct db **out, struct err *err)
{
	char *uri = db_uri(path, "?mode=rw", err);
	struct db *db = NULL;
	int rc = -1;
	if (!uri || db_open(uri, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, name, &db, err))
		goto out;
	sqlite3_busy_timeout(db->handle, 10000);
	if (db_exec(db, pragmas, err))
		goto out;
	*out = db;
	db = NULL;
	rc = 0;
out:
	db_close(db);
	free(uri);
	return rc;
}

/* b.3: one file at rest, untouched until commit; the directory is synced when the journal goes. */
#define BUNDLE_PRAGMAS \
	"PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = DELETE; " \
	"PRAGMA synchronous = EXTRA; " \
	"PRAGMA locking_mode = NORMAL; PRAGMA cache_spill = OFF; PRAGMA secure_delete = ON; " \
	"PRAGMA foreign_keys = ON"

int bundle_create_in(const char *path, struct db **out, struct err *err)
{
	struct db *db = NULL;
	if (bundle_open_own(path, path,
			"PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; " BUNDLE_PRAGMAS, &db, err) ||
		db_begin(db, err) || db_exec(db, sql_schema, err) ||
		db_exec(db, "PRAGMA application_id = 1885824107; PRAGMA user_version = 1", err) ||
		db_commit(db, err)) {
		bundle_close_db(db);
		return -1;
	}
	_Static_assert(BUNDLE_APPLICATION_ID == 1885824107 && BUNDLE_VERSION == 1,
		"the pragmas above say the same");
	*out = db;
	return 0;
}

int bundle_create_at(const char *path, struct db **out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "%s cannot be made", path);
	close(fd);
	if (bundle_create_in(path, out, err) == 0)
		return 0;
	unlink(path);
	return -1;
}

static int bundle_reopen(const char *path, const char *pragmas, struct db **out, struct err *err)
{
	struct db *db = NULL;
	int64_t id = 0, version = 0;
	if (bundle_open_own(path, path, pragmas, &db, err))
		return -1;
	db->judging = true;
	int rc = db_value_int64(db, "PRAGMA application_id", &id, err) ||
		db_value_int64(db, "PRAGMA user_version", &version, err);
	if (!rc && (id != BUNDLE_APPLICATION_ID || version != BUNDLE_VERSION))
		rc = err_set(err, ERR_FORMAT, "%s is not a working copy of this version", path);
	if (rc || bundle_check_schema(db, err)) {
		db_close(db);
		return -1;
	}
	db->judging = false;
	*out = db;
	return 0;
}

int bundle_reopen_at(const char *path, struct db **out, struct err *err)
{
	return bundle_reopen(path, BUNDLE_PRAGMAS, out, err);
}

/* Opened for writing all the same: a journal left by a killed run is rolled back first. */
int bundle_reopen_readonly_at(const char *path, struct db **out, struct err *err)
{
	return bundle_reopen(path,
		"PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON", out,
		err);
}

void bundle_close_db(struct db *db)
{
	if (db)
		db_rollback(db);
	db_close(db);
}

/* The digest of the snapshot: SHA-256 over the lines that snapshot_rows.sql makes of its rows. */
static int bundle_digest_line(struct db_query *query, void *context, struct err *err)
{
	const char *line = NULL;
	size_t len = 0;
	if (db_get_text(query, 0, &line, &len, err))
		return -1;
	digest_add(context, line, len);
	digest_add(context, "\n", 1);
	return 0;
}

int bundle_snapshot_digest(struct db *db, struct digest *out, struct err *err)
{
	struct digest_stream *stream = digest_start();
	if (!stream)
		return err_nomem(err);
	int rc = db_each_of(db, sql_snapshot_rows, bundle_digest_line, stream, err);
	digest_finish(stream, out);
	return rc;
}
