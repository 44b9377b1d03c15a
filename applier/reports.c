/*
 * Records about a run as a whole: who ran what, where, on whose approval; what the ledger knew and
 * no record did; how it ended. Keys and their order are record.h's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fields.h"
#include "file.h"
#include "run.h"

#define PROGRAM_MAX (64u << 20)
#define START_MAX 13000 /* what signatures may fill of the first record */

static void record_program(struct buf *record)
{
	struct buf program = BUF_INIT(PROGRAM_MAX);
	struct err ignored = ERR_INIT;
	struct digest digest;
	bool read = file_read("/proc/self/exe", 0, &program, &ignored) == 0;
	if (read)
		digest_of(program.data, program.len, &digest);
	fields_record(
		record, "t:program d:binary", "pgdocket-apply " PGDOCKET_VERSION, read ? &digest : NULL);
	buf_release(&program);
}

static void record_operator(struct buf *record)
{
	char tty[256], host[256] = "";
	const char *sudo = getenv("SUDO_UID");
	bool terminal = ttyname_r(STDIN_FILENO, tty, sizeof tty) == 0;
	if (gethostname(host, sizeof host - 1))
		snprintf(host, sizeof host, "unknown");
	fields_record(record, "n:uid t:sudo-uid t:tty t:host", (int64_t)getuid(),
		sudo && *sudo ? sudo : NULL, terminal ? tty : NULL, host);
}

static void record_signatures(struct buf *record, const struct trust_result *result)
{
	static const char *const verdicts[] = {
		[VERDICT_COUNTS] = "counts", [VERDICT_REJECTS] = "rejects", [VERDICT_IGNORED] = "ignored"
	};
	fields_record(record, "t:planner n:approvals", result->planner, (int64_t)result->approvals);
	for (size_t i = 0; i < result->signatures && record->len < START_MAX; i++) {
		const struct trust_signature *s = &result->signature[i];
		char key[32], value[2048];
		snprintf(key, sizeof key, "signature-%zu", i + 1);
		snprintf(value, sizeof value, "%s %s %s %s%s%s", verdicts[s->verdict], s->name_space,
			s->principal[0] ? s->principal : "-", s->fingerprint, s->why[0] ? " " : "", s->why);
		record_key(record, key, value);
	}
	fields_record(record, "t:expired", result->expired ? "yes" : NULL);
}

int report_start(struct run *run, const struct target *target, struct err *err)
{
	struct buf *record = recorder_begin(run->recorder, "run-start");
	char time[CLOCK_MICROS_SIZE];
	clock_micros(target->server_now_us, time);
	fields_record(record, "d:bundle d:policy", bundle_digest(run->verified->bundle),
		trust_policy_digest(run->trust));
	record_program(record);
	record_operator(record);
	fields_record(record,
		"t:label t:system-identifier n:database-oid t:database n:server-version t:time-server",
		run->document->label, target->system_identifier, target->oid, target->database,
		(int64_t)target->version, time);
	record_signatures(record, &run->verified->trust);
	fields_record(record, "n:jobs t:wave t:stop-after", (int64_t)run->workers, run->options->wave,
		run->options->stop_after);
	return recorder_add(run->recorder, err) || recorder_flush(run->recorder, true, err) ? -1 : 0;
}

int report_reconcile(struct run *run, const struct ledger_row *row, struct err *err)
{
	const struct task *task = task_find(run, row->schema);
	struct buf *record = recorder_begin(run->recorder, "reconcile");
	char time[CLOCK_MICROS_SIZE];
	clock_micros(row->finished_us, time);
	fields_record(record, "t:schema n:oid n:segment", row->schema, row->oid, (int64_t)row->segment);
	if (task)
		fields_record(record, "n:class t:wave", (int64_t)task->class->number,
			run->document->wave[task->schema->wave].name);
	fields_record(record, "d:state-after d:shape-after t:applied-by t:finished", &row->state,
		row->has_shape ? &row->shape : NULL, row->run ? row->run : run->id, time);
	run->totals.reconciled++;
	return recorder_add(run->recorder, err);
}

int report_signal(struct run *run, const char *name, struct err *err)
{
	fields_record(recorder_begin(run->recorder, "signal"), "t:signal", name);
	return recorder_add(run->recorder, err);
}

int report_end(struct run *run, const char *result, const char *why, struct err *err)
{
	/* An error of the run itself stands before its end. */
	if (run->why.code != ERR_NONE && run->why.code != ERR_INTERRUPTED) {
		fields_record(recorder_begin(run->recorder, "error"), "t:sqlstate t:message",
			run->why.sqlstate, run->why.message);
		if (recorder_add(run->recorder, err))
			return -1;
	}
	fields_record(recorder_begin(run->recorder, "run-end"),
		"t:result n:segments n:reconciled n:failed n:retries t:why", result, run->totals.segments,
		run->totals.reconciled, run->totals.failed, run->totals.retries, *why ? why : NULL);
	return recorder_add(run->recorder, err) || recorder_flush(run->recorder, true, err) ? -1 : 0;
}
