/*
 * Failpoints and switches of the applier under test: CONFIG=failpoint links it with this file and with
 * --wrap for each function below. The applier's own sources know nothing of it, so no other build
 * can have it.
 *
 *     PGDOCKET_FAIL=name:kill     the process is killed there, the first time
 *     PGDOCKET_FAIL=name:err      the call answers with an error there, the first time
 *     name:kill:3                 the third time
 *     PGDOCKET_WITHOUT=lock       nothing holds a second run back: neither run lock nor orphans
 *     PGDOCKET_WITHOUT=words      statements' first words are not looked at
 *
 *     commit       COMMIT is about to be sent          sent       it is on its way, nothing was read
 *     committed    its answer was read                 alone      a statement sent alone is on its way
 *     record       a batch is about to be committed    recorded   it was
 *     rename       a file is about to be renamed       renamed    it was
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include "db.h"
#include "session.h"

struct session;
struct run;

int __real_session_queue(struct session *session, const char *name, const char *sql, int params,
	const char *const *param, struct err *err);
enum session_event __real_session_next(
	struct session *session, struct rows **rows, struct err *err);
int __real_db_commit(struct db *db, struct err *err);
int __real_rename(const char *from, const char *to);
int __real_ledger_lock(struct session *session, int64_t wait_ms, struct err *err);
bool __real_document_first_word_refused(const char *text, size_t len, char word[32]);

/* True: fail. Does not come back from a kill. */
static bool failpoint(const char *name)
{
	static int seen;
	const char *wanted = getenv("PGDOCKET_FAIL");
	size_t len = strlen(name);
	char way[8] = "";
	int time = 1;
	if (!wanted || strncmp(wanted, name, len) != 0 || wanted[len] != ':' ||
		sscanf(wanted + len + 1, "%7[a-z]:%d", way, &time) < 1 || ++seen != time)
		return false;
	if (strcmp(way, "kill") == 0)
		raise(SIGKILL);
	return true;
}

static bool without(const char *what)
{
	const char *list = getenv("PGDOCKET_WITHOUT");
	return list && strstr(list, what);
}

static const char *on_its_way; /* failpoint that is due when there is nothing but to wait */

int __wrap_session_queue(struct session *session, const char *name, const char *sql, int params,
	const char *const *param, struct err *err)
{
	bool commit = sql && strcmp(sql, "COMMIT") == 0;
	if (commit && failpoint("commit"))
		return err_set(err, ERR_SERVER, "failpoint commit");
	if (commit)
		on_its_way = "sent";
	else if (sql && strstr(sql, "CONCURRENTLY"))
		on_its_way = "alone";
	return __real_session_queue(session, name, sql, params, param, err);
}

enum session_event __wrap_session_next(struct session *session, struct rows **rows, struct err *err)
{
	enum session_event event = __real_session_next(session, rows, err);
	const char *name = NULL;
	if (event == SESSION_WAIT) {
		name = on_its_way;
		on_its_way = NULL;
	} else if (event == SESSION_RESULT && *rows && strcmp(rows_tag(*rows), "COMMIT") == 0) {
		name = "committed";
	}
	if (!name || !failpoint(name))
		return event;
	rows_free(*rows);
	*rows = NULL;
	err_set(err, ERR_SERVER, "failpoint %s", name);
	return SESSION_LOST;
}

int __wrap_db_commit(struct db *db, struct err *err)
{
	if (failpoint("record"))
		return err_set(err, ERR_IO, "failpoint record");
	int rc = __real_db_commit(db, err);
	if (rc == 0 && failpoint("recorded"))
		rc = err_set(err, ERR_IO, "failpoint recorded");
	return rc;
}

int __wrap_rename(const char *from, const char *to)
{
	if (failpoint("rename"))
		return -1;
	int rc = __real_rename(from, to);
	return rc == 0 && failpoint("renamed") ? -1 : rc;
}

int __wrap_ledger_lock(struct session *session, int64_t wait_ms, struct err *err)
{
	return without("lock") ? 0 : __real_ledger_lock(session, wait_ms, err);
}

bool __wrap_document_first_word_refused(const char *text, size_t len, char word[32])
{
	return !without("words") && __real_document_first_word_refused(text, len, word);
}
