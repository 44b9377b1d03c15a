/*
 * The working copy: made by importing verified rows into a file of our own, kept until the state
 * directory is cleaned by someone else. The received bundle is never written here.
 */
#include "applier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "sql.h"
#include "text.h"

#define PATH_BYTES 8192
#define ROOM_BYTES (16u << 20)
#define RECORD_BYTES 1024 /* what a segment's record takes, with its share of the checkpoints */

struct workcopy {
	char *path, *fresh_path, *lock_path;
	int lock;
	struct db *db;
};

static char *join(const struct run *run, const char *name, struct err *err)
{
	const char *state = run->options.state, *label = run->document->label;
	struct buf path = BUF_INIT(PATH_BYTES);
	char hex[DIGEST_HEX_SIZE], *text = NULL;
	digest_hex(&run->verified.trust.plan, hex);
	buf_add_format(&path, "%s/%s/%.12s", state ? state : WORKCOPY_STATE, label, hex);
	if (name)
		buf_add_format(&path, "/%s", name);
	if (label[0] == '\0' || label[0] == '.' || strchr(label, '/'))
		err_refuse(err, "label", "the label \"%s\" cannot be a directory's name", label);
	else if (buf_check(&path, err) == 0 && !(text = buf_detach(&path, NULL)))
		err_nomem(err);
	buf_release(&path);
	return text;
}

char *workcopy_locate(const struct run *run, struct err *err)
{
	return join(run, "work.docket", err);
}

static int take_lock(struct workcopy *w, struct err *err)
{
	w->lock = open(w->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock >= 0 && flock(w->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (w->lock < 0 || errno != EWOULDBLOCK)
		return err_set_errno(err, ERR_IO, "%s", w->lock_path);
	return err_set_hint(err, ERR_UNFIT,
		"wait until it has ended; pgdocket-apply status shows how far it is",
		"another pgdocket-apply on this host applies this plan: it holds %s", w->lock_path);
}

static int check_room(const struct workcopy *w, const struct document *document, struct err *err)
{
	struct statvfs facts;
	uint64_t expected = 0;
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];
		expected += class->schemas * document->program[class->program].segments * RECORD_BYTES;
	}
	expected = 2 * expected + ROOM_BYTES;
	if (statvfs(w->lock_path, &facts))
		return err_set_errno(err, ERR_IO, "%s", w->lock_path);
	if ((uint64_t)facts.f_bavail * facts.f_frsize >= expected)
		return 0;
	return err_set_hint(err, ERR_IO, "free some, or name another directory with --state",
		"the disk of %s has no room for the results: %llu MiB are needed", w->lock_path,
		(unsigned long long)(expected >> 20));
}

static int import(struct workcopy *w, const struct verified *verified, struct err *err)
{
	struct db *db = NULL;
	if (unlink(w->fresh_path) && errno != ENOENT)
		return err_set_errno(err, ERR_IO, "%s", w->fresh_path);
	int rc = bundle_create_at(w->fresh_path, &db, err) || db_begin(db, err) ||
		bundle_copy_rows(bundle_db(verified->bundle), db, err) || db_commit(db, err);
	bundle_close_db(db);
	if (!rc && rename(w->fresh_path, w->path))
		rc = err_set_errno(err, ERR_IO, "%s", w->path);
	if (rc)
		unlink(w->fresh_path);
	return rc ? -1 : file_sync_directory(w->path, err);
}

/* Who may write there could put records of his own in place of ours, or take the lock away. */
static int check_directory(const char *directory, struct err *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "%s", directory);
	int rc = trust_check_directory(directory, fd, err);
	close(fd);
	return rc;
}

bool workcopy_same_plan(const struct run *run, struct db *db, struct err *err)
{
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	struct plan_statement statement;
	struct digest plan;
	bool found = false;
	int rc = plan_statement_load(db, &bytes, &statement, &plan, &found, err);
	buf_release(&bytes);
	return !rc && found && digest_equal(&plan, &run->verified.trust.plan);
}

static int judge_anew(struct workcopy *w, const struct run *run, struct err *err)
{
	struct trust_result *result = calloc(1, sizeof *result);
	if (!result)
		return err_nomem(err);
	int rc = trust_judge(
		run->trust, w->db, clock_now_us(), trust_operator(run->trust, (long)getuid()), result, err);
	if (!rc)
		rc = record_verify_chains(w->db, &run->verified.trust.plan, NULL, err);
	free(result);
	return rc ? err_context(err, "%s", w->path) : 0;
}

/* What is refused together with the bundle's rows must not stay: it would be refused for ever. */
static int reopen(struct workcopy *w, const struct run *run, struct err *err)
{
	if (bundle_reopen_at(w->path, &w->db, err))
		return -1;
	if (!workcopy_same_plan(run, w->db, err))
		return err_set_hint(err, ERR_FORMAT,
			"move it away; what was done is taken from the ledger",
			"%s is not the working copy of this plan", w->path);
	if (db_begin(w->db, err))
		return -1;
	if (!bundle_unite(bundle_db(run->verified.bundle), w->db, err) && !judge_anew(w, run, err))
		return db_commit(w->db, err);
	db_rollback(w->db);
	return -1;
}

int workcopy_open(const struct run *run, struct workcopy **out, struct err *err)
{
	struct workcopy *w = calloc(1, sizeof *w);
	if (!w)
		return err_nomem(err);
	w->lock = -1;
	char *directory = join(run, NULL, err);
	if (!directory || file_make_directories(directory, 0700, err) ||
		check_directory(directory, err) ||
		!(w->path = workcopy_locate(run, err)) || !(w->fresh_path = join(run, "work.new", err)) ||
		!(w->lock_path = join(run, "lock", err)) || take_lock(w, err) ||
		check_room(w, run->document, err) ||
		(access(w->path, F_OK) == 0
				? reopen(w, run, err)
				: import(w, &run->verified, err) || bundle_reopen_at(w->path, &w->db, err))) {
		workcopy_close(w);
		w = NULL;
	}
	free(directory);
	*out = w;
	return w ? 0 : -1;
}

void workcopy_close(struct workcopy *workcopy)
{
	if (!workcopy)
		return;
	bundle_close_db(workcopy->db);
	if (workcopy->lock >= 0)
		close(workcopy->lock);
	free(workcopy->path);
	free(workcopy->fresh_path);
	free(workcopy->lock_path);
	free(workcopy);
}

struct db *workcopy_db(struct workcopy *workcopy)
{
	return workcopy->db;
}

const char *workcopy_path(const struct workcopy *workcopy)
{
	return workcopy->path;
}
