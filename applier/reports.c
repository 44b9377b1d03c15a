/*
 * Records about a run as a whole: who ran what, where, on whose approval; what the ledger knew and
 * no record did; how it ended. Keys and their order are record.h's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "run.h"

#define PROGRAM_MAX (64u << 20)
#define START_MAX 13000 /* what signatures may fill of the first record */

static void record_binary(struct buf *record)
{
	struct buf program = BUF_INIT(PROGRAM_MAX);
	struct err ignored = ERR_INIT;
	struct digest digest;
	if (file_read("/proc/self/exe", 0, &program, &ignored) == 0) {
		digest_of(program.data, program.len, &digest);
		record_key_digest(record, "binary", &digest);
	}
	buf_release(&program);
}

static void record_operator(struct buf *record)
{
	char text[256] = "";
	const char *sudo = getenv("SUDO_UID");
	record_key_int64(record, "uid", (int64_t)getuid());
	if (sudo && *sudo)
		record_key(record, "sudo-uid", sudo);
	if (ttyname_r(STDIN_FILENO, text, sizeof text) == 0)
		record_key(record, "tty", text);
	if (gethostname(text, sizeof text - 1))
		snprintf(text, sizeof text, "unknown");
	record_key(record, "host", text);
}

static void record_target(struct buf *record, const struct run *run, const struct target *target)
{
	char time[CLOCK_MICROS_SIZE];
	clock_micros(target->server_now_us, time);
	record_key(record, "label", run->document->label);
	record_key(record, "system-identifier", target->system_identifier);
	record_key_int64(record, "database-oid", target->oid);
	record_key(record, "database", target->database);
	record_key_int64(record, "server-version", target->version);
	record_key(record, "time-server", time);
}

static void record_signatures(struct buf *record, const struct trust_result *result)
{
	static const char *const verdicts[] = {
		[VERDICT_COUNTS] = "counts", [VERDICT_REJECTS] = "rejects", [VERDICT_IGNORED] = "ignored"
	};
	record_key(record, "planner", result->planner);
	record_key_int64(record, "approvals", result->approvals);
	for (size_t i = 0; i < result->signatures && record->len < START_MAX; i++) {
		const struct trust_signature *s = &result->signature[i];
		struct buf value = BUF_INIT(2048);
		char key[32];
		snprintf(key, sizeof key, "signature-%zu", i + 1);
		buf_add_format(&value, "%s %s %s %s%s%s", verdicts[s->verdict], s->name_space,
			s->principal[0] ? s->principal : "-", s->fingerprint, s->why[0] ? " " : "", s->why);
		record_key(record, key, buf_text(&value));
		buf_release(&value);
	}
	if (result->expired)
		record_key(record, "expired", "yes");
}

int report_start(struct run *run, const struct target *target, struct err *err)
{
	struct buf *record = recorder_begin(run->recorder, "run-start");
	record_key_digest(record, "bundle", bundle_digest(run->verified->bundle));
	record_key_digest(record, "policy", trust_policy_digest(run->trust));
	record_key(record, "program", "pgdocket-apply " PGDOCKET_VERSION);
	record_binary(record);
	record_operator(record);
	record_target(record, run, target);
	record_signatures(record, &run->verified->trust);
	record_key_int64(record, "jobs", run->workers);
	if (run->options->wave)
		record_key(record, "wave", run->options->wave);
	if (run->options->stop_after)
		record_key(record, "stop-after", run->options->stop_after);
	if (recorder_add(run->recorder, err))
		return -1;
	return recorder_flush(run->recorder, true, err);
}

int report_reconcile(struct run *run, const struct ledger_row *row, struct err *err)
{
	const struct task *task = task_find(run, row->schema);
	struct buf *record = recorder_begin(run->recorder, "reconcile");
	char time[CLOCK_MICROS_SIZE];
	clock_micros(row->finished_us, time);
	record_key(record, "schema", row->schema);
	record_key_int64(record, "oid", row->oid);
	record_key_int64(record, "segment", row->segment);
	if (task) {
		record_key_int64(record, "class", task->class->number);
		record_key(record, "wave", run->document->wave[task->schema->wave].name);
	}
	record_key_digest(record, "state-after", &row->state);
	if (row->has_shape)
		record_key_digest(record, "shape-after", &row->shape);
	record_key(record, "applied-by", row->run);
	record_key(record, "finished", time);
	run->totals.reconciled++;
	return recorder_add(run->recorder, err);
}

int report_signal(struct run *run, const char *name, struct err *err)
{
	struct buf *record = recorder_begin(run->recorder, "signal");
	record_key(record, "signal", name);
	return recorder_add(run->recorder, err);
}

/* An error of the run itself stands before its end. */
static int report_error(struct run *run, struct err *err)
{
	struct buf *record;
	if (run->why.code == ERR_NONE || run->why.code == ERR_INTERRUPTED)
		return 0;
	record = recorder_begin(run->recorder, "error");
	record_key(record, "sqlstate", run->why.sqlstate);
	record_key(record, "message", run->why.message);
	return recorder_add(run->recorder, err);
}

int report_end(struct run *run, const char *result, const char *why, struct err *err)
{
	struct buf *record;
	if (report_error(run, err))
		return -1;
	record = recorder_begin(run->recorder, "run-end");
	record_key(record, "result", result);
	record_key_int64(record, "segments", run->totals.segments);
	record_key_int64(record, "reconciled", run->totals.reconciled);
	record_key_int64(record, "failed", run->totals.failed);
	record_key_int64(record, "retries", run->totals.retries);
	if (why && *why)
		record_key(record, "why", why);
	if (recorder_add(run->recorder, err))
		return -1;
	return recorder_flush(run->recorder, true, err);
}
