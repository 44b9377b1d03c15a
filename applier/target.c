/*
 * Identity, fitness and clocks of the target. Label and host key are the environment's identity and
 * were checked with the policy before; what the database says can only confirm them.
 */
#include "target.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "sql.h"

#define ANSWER_MS 30000

int target_read(struct session *session, struct target *out, struct err *err)
{
	struct rows *rows = NULL;
	const char *database, *role, *identifier;
	int rc = -1;
	memset(out, 0, sizeof *out);
	if (session_rows(session, sql_target_facts, 0, NULL, ANSWER_MS, &rows, err))
		return -1;
	identifier = rows_count(rows) == 1 ? rows_text(rows, 0, 0) : NULL;
	database = identifier ? rows_text(rows, 0, 2) : NULL;
	role = database ? rows_text(rows, 0, 7) : NULL;
	if (!role) {
		err_set(err, ERR_SERVER, "the database does not say what it is");
		goto out;
	}
	snprintf(out->system_identifier, sizeof out->system_identifier, "%s", identifier);
	snprintf(out->database, sizeof out->database, "%s", database);
	snprintf(out->role, sizeof out->role, "%s", role);
	out->oid = rows_int64(rows, 0, 1);
	out->version = (int)rows_int64(rows, 0, 3);
	out->standby = rows_bool(rows, 0, 4);
	out->read_only = rows_bool(rows, 0, 5);
	out->superuser = rows_bool(rows, 0, 6);
	out->server_now_us = rows_int64(rows, 0, 8);
	out->timeline = rows_int64(rows, 0, 9);
	out->host_now_us = clock_now_us();
	rc = 0;
out:
	rows_free(rows);
	return rc;
}

static int differs(const char *what, const char *is, const char *planned, struct err *err)
{
	err_refuse(err, "identity",
		"this is another database than the plan's: %s is %s, planned for %s", what, is, planned);
	return err_hint(err, "look at -d, -h and the policy's conninfo-file; a plan serves only "
						 "the target it was made for");
}

static int check_identity(const struct target *t, const struct document *d, struct err *err)
{
	char is[32], planned[32];
	if (strcmp(t->system_identifier, d->system_identifier) != 0)
		return differs("the system identifier", t->system_identifier, d->system_identifier, err);
	if (strcmp(t->database, d->database) != 0)
		return differs("the database", t->database, d->database, err);
	snprintf(is, sizeof is, "%lld", (long long)t->oid);
	snprintf(planned, sizeof planned, "%lld", (long long)d->database_oid);
	if (t->oid != d->database_oid)
		return differs("its oid", is, planned, err);
	snprintf(is, sizeof is, "%d", t->version / 10000);
	snprintf(planned, sizeof planned, "%d", d->server_version / 10000);
	if (t->version / 10000 != d->server_version / 10000)
		return differs("the server's major version", is, planned, err);
	return 0;
}

int target_check(const struct target *target, const struct document *document,
	const struct trust *trust, struct err *err)
{
	int64_t skew_ms = (target->server_now_us - target->host_now_us) / 1000;
	if (check_identity(target, document, err))
		return -1;
	if (target->standby) {
		err_set(err, ERR_UNFIT, "the server is a standby");
		return err_hint(err, "connect to the primary");
	}
	if (target->read_only) {
		err_set(err, ERR_UNFIT, "the session is read-only");
		return err_hint(
			err, "take default_transaction_read_only away from the role or the database");
	}
	if (skew_ms < 0)
		skew_ms = -skew_ms;
	if (skew_ms <= trust_policy(trust)->max_clock_skew_ms)
		return 0;
	err_refuse(err, "clock", "the clocks of this host and of the server differ by %lld s",
		(long long)(skew_ms / 1000));
	return err_hint(err, "set the clocks; the policy allows %lld s (max-clock-skew)",
		(long long)(trust_policy(trust)->max_clock_skew_ms / 1000));
}

int target_check_times(const struct target *target, const struct verified *verified,
	const struct trust *trust, bool begun, struct err *err)
{
	const struct plan_statement *s = &verified->trust.statement;
	int64_t late =
		target->server_now_us > target->host_now_us ? target->server_now_us : target->host_now_us;
	int64_t early =
		target->server_now_us > target->host_now_us ? target->host_now_us : target->server_now_us;
	char text[CLOCK_SECONDS_SIZE];
	if (early < s->not_before_us) {
		clock_seconds(s->not_before_us, text);
		err_refuse(err, "not-yet", "the plan may not be applied before %s", text);
		return err_hint(err, "run it again then");
	}
	if (!verified->trust.expired && late <= s->expires_us)
		return 0;
	if (begun && late <= s->expires_us + trust_policy(trust)->resume_grace_ms * 1000)
		return 0;
	clock_seconds(s->expires_us, text);
	err_refuse(err, "expired", "the plan or an approval of it has expired (the plan: %s)", text);
	return err_hint(
		err, "plan again; only a run that has begun may go on behind that time (resume-grace)");
}
