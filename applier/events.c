/*
 * What is told of a run: records for audit, with --json one object per line on stdout, else lines
 * for people and a progress bar on stderr. Keys of records and their order are record.h's. Texts
 * that came from a server or a bundle are shown with control characters escaped.
 */
#include "applier.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "sql.h"
#include "text.h"

#define LINE_MAX_BYTES 16384
#define PROGRAM_MAX (64u << 20)
#define START_MAX 13000 /* what signatures may fill of the first record */

/* --- facts, for records and objects --- */

/* NULL and negative numbers are absent from records; text that is NULL is null in objects. */
struct fact {
	const char *key, *text;
	const struct digest *digest;
	int64_t number;
	enum { FACT_TEXT, FACT_OPTIONAL, FACT_NUMBER, FACT_DIGEST } kind;
};
#define TEXT(name, value) { name, value, NULL, -1, FACT_TEXT }
#define OPTIONAL(name, value) { name, value, NULL, -1, FACT_OPTIONAL } /* absent from objects too */
#define NUMBER(name, value) { name, NULL, NULL, (int64_t)(value), FACT_NUMBER }
#define DIGEST(name, value) { name, NULL, value, -1, FACT_DIGEST } /* in records alone */
#define FACTS(...) (const struct fact[]){ __VA_ARGS__, { NULL, NULL, NULL, 0, FACT_TEXT } }

static void add_facts(struct buf *record, const struct fact *fact)
{
	for (; fact->key; fact++)
		if (fact->text)
			record_key(record, fact->key, fact->text);
		else if (fact->digest)
			record_key_digest(record, fact->key, fact->digest);
		else if (fact->number >= 0)
			record_key_int64(record, fact->key, fact->number);
}

static int record(struct run *run, const char *type, const struct fact *facts, struct err *err)
{
	add_facts(recorder_begin(run->recorder, type), facts);
	return recorder_add(run->recorder, err);
}

/* Only with --json; else there are lines for people. */
static void object(struct run *run, const char *event, const struct fact *fact)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	if (!run->options.common.json)
		return;
	buf_add_format(&out, "{\"event\":\"%s\",\"run\":\"%s\"", event, run->id);
	for (; fact->key; fact++) {
		if (!fact->text && fact->kind != FACT_TEXT && fact->number < 0)
			continue;
		buf_add_text(&out, ",\"");
		for (const char *key = fact->key; *key; key++)
			buf_add_char(&out, *key == '-' ? '_' : *key);
		buf_add_text(&out, "\":");
		if (fact->kind == FACT_NUMBER)
			buf_add_format(&out, "%lld", (long long)fact->number);
		else if (fact->text)
			text_json(&out, fact->text, strlen(fact->text));
		else
			buf_add_text(&out, "null");
	}
	progress_clear(&run->progress);
	fprintf(run->cli->out, "%s}\n", buf_text(&out));
	fflush(run->cli->out);
	buf_release(&out);
}

/* --- lines --- */

static void PRINTF_LIKE(3, 0)
	say(struct run *run, FILE *stream, const char *format, va_list arguments)
{
	struct buf safe = BUF_INIT(LINE_MAX_BYTES);
	char text[4096];
	int n = vsnprintf(text, sizeof text, format, arguments);
	if (run->options.common.quiet)
		return;
	text_safe(&safe, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
	progress_clear(&run->progress);
	fprintf(stream, "%s\n", buf_text(&safe));
	fflush(stream);
	buf_release(&safe);
}

/* Without --json, which has objects instead. */
static void PRINTF_LIKE(2, 3) line(struct run *run, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (!run->options.common.json)
		say(run, run->cli->out, format, arguments);
	va_end(arguments);
}

void events_note(struct run *run, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(run, run->cli->talk, format, arguments);
	va_end(arguments);
}

static const char *wave_name(const struct run *run)
{
	return run->document->wave[run->wave].name;
}

static void show_progress(struct run *run, const struct task *task)
{
	struct buf name = BUF_INIT(1024);
	text_safe(&name, task->schema->name, strlen(task->schema->name));
	progress_update(&run->progress, (int64_t)run->wave_done + run->wave_failed, buf_text(&name));
	buf_release(&name);
}

/* --- the run begins --- */

static void record_signatures(struct buf *record, const struct trust_result *result)
{
	static const char *const verdicts[] = {
		[VERDICT_COUNTS] = "counts", [VERDICT_REJECTS] = "rejects", [VERDICT_IGNORED] = "ignored"
	};
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
}

static const struct digest *own_digest(struct digest *out)
{
	struct buf program = BUF_INIT(PROGRAM_MAX);
	struct err ignored = ERR_INIT;
	bool read = file_read("/proc/self/exe", 0, &program, &ignored) == 0;
	if (read)
		digest_of(program.data, program.len, out);
	buf_release(&program);
	return read ? out : NULL;
}

/* Left empty when the server does not say: the session is lost. */
static void find_restore_point(struct run *run)
{
	struct rows *rows = NULL;
	struct err ignored = ERR_INIT;
	run->restore_point[0] = '\0';
	if (ask_rows(run->control, sql_restore_point, &rows, &ignored, "") == 0)
		snprintf(run->restore_point, sizeof run->restore_point, "%s", rows_text(rows, 0, 0));
	rows_free(rows);
}

static int record_start(struct run *run, struct err *err)
{
	const struct trust_result *trust = &run->verified.trust;
	const struct target *target = &run->target;
	struct buf *record = recorder_begin(run->recorder, "run-start");
	struct digest binary;
	char tty[256], host[256] = "", time[CLOCK_MICROS_SIZE];
	clock_micros(target->server_now_us, time);
	if (gethostname(host, sizeof host - 1))
		snprintf(host, sizeof host, "unknown");
	add_facts(record,
		FACTS(DIGEST("bundle", bundle_digest(run->verified.bundle)),
			DIGEST("policy", trust_policy_digest(run->trust)),
			TEXT("program", "pgdocket-apply " PGDOCKET_VERSION),
			DIGEST("binary", own_digest(&binary)), NUMBER("uid", getuid()),
			TEXT("sudo-uid", getenv("SUDO_UID")),
			TEXT("tty", ttyname_r(STDIN_FILENO, tty, sizeof tty) ? NULL : tty), TEXT("host", host),
			TEXT("label", run->document->label),
			TEXT("system-identifier", target->system_identifier),
			NUMBER("database-oid", target->oid), TEXT("database", target->database),
			NUMBER("server-version", target->version), TEXT("time-server", time),
			TEXT("restore-point", run->restore_point), TEXT("planner", trust->planner),
			NUMBER("approvals", trust->approvals)));
	record_signatures(record, trust);
	add_facts(record,
		FACTS(TEXT("expired", trust->expired ? "yes" : NULL), NUMBER("jobs", run->workers),
			TEXT("wave", run->options.wave), TEXT("stop-after", run->options.stop_after)));
	return recorder_add(run->recorder, err) || recorder_flush(run->recorder, true, err) ? -1 : 0;
}

int events_begin(struct run *run, struct err *err)
{
	const struct document *d = run->document;
	char plan[DIGEST_HEX_SIZE];
	size_t left = tasks_left(run);
	digest_hex(&run->verified.trust.plan, plan);
	find_restore_point(run);
	if (record_start(run, err))
		return -1;
	object(run, "run-start",
		FACTS(TEXT("plan", plan), TEXT("label", d->label), TEXT("database", d->database),
			NUMBER("schemas", run->tasks), NUMBER("left", left), NUMBER("jobs", run->workers),
			TEXT("restore-point", run->restore_point)));
	line(run, "run %.8s of plan %.12s on %s, database %s: %zu of %zu schemas to do, %d at a time",
		run->id, plan, d->label, d->database, left, run->tasks, run->workers);
	line(run, "restore point before: %s", run->restore_point);
	return 0;
}

void events_wave_start(struct run *run)
{
	size_t schemas = run->wave_done + run->wave_left;
	object(run, "wave-start",
		FACTS(TEXT("wave", wave_name(run)), NUMBER("schemas", schemas),
			NUMBER("left", run->wave_left)));
	line(run, "wave %d of %zu, %s: %zu of %zu schemas to do", run->wave + 1, run->document->waves,
		wave_name(run), run->wave_left, schemas);
	progress_start(&run->progress, run->cli->talk, cli_progress(&run->options.common),
		wave_name(run), (int64_t)schemas);
	progress_update(&run->progress, (int64_t)run->wave_done, NULL);
}

/* --- schemas --- */

int events_segment(struct run *run, const struct worker *worker, struct err *err)
{
	const struct task *task = worker->task;
	const struct doc_segment *segment = task_segment(task);
	const struct segment_result *result = segment_result(worker->engine);
	run->totals.segments++;
	return record(run, "segment",
		FACTS(TEXT("schema", task->schema->name), NUMBER("oid", result->oid),
			NUMBER("segment", segment->number), NUMBER("class", task->class->number),
			TEXT("wave", wave_name(run)), NUMBER("xid", result->xid),
			DIGEST("state-after", &segment->state_after), DIGEST("shape-after", &result->shape),
			NUMBER("attempts", task->attempts),
			NUMBER("duration-us", clock_monotonic_us() - worker->started_us),
			TEXT("pilot", task_shape(task)->known ? NULL : "yes")),
		err);
}

int events_reconcile(struct run *run, const struct ledger_row *row, struct err *err)
{
	const struct task *task = task_find(run, row->schema);
	char time[CLOCK_MICROS_SIZE];
	clock_micros(row->finished_us, time);
	run->totals.reconciled++;
	return record(run, "reconcile",
		FACTS(TEXT("schema", row->schema), NUMBER("oid", row->oid),
			NUMBER("segment", row->segment), NUMBER("class", task->class->number),
			TEXT("wave", run->document->wave[task->schema->wave].name),
			DIGEST("state-after", &row->state),
			DIGEST("shape-after", row->has_shape ? &row->shape : NULL),
			TEXT("applied-by", row->run), TEXT("finished", time)),
		err);
}

void events_schema_done(struct run *run, const struct task *task)
{
	int64_t duration_ms = (clock_monotonic_us() - task->started_us) / 1000;
	object(run, "schema-done",
		FACTS(TEXT("schema", task->schema->name), TEXT("wave", wave_name(run)),
			NUMBER("segments", task->program->segments), NUMBER("duration-ms", duration_ms)));
	if (run->options.common.verbose)
		line(run, "%s: done in %lld ms", task->schema->name, (long long)duration_ms);
	show_progress(run, task);
}

int events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms, struct err *err)
{
	const struct fact *facts = FACTS(TEXT("schema", task->schema->name),
		NUMBER("segment", task_segment(task)->number), NUMBER("attempt", task->attempts),
		TEXT("sqlstate", error->sqlstate), TEXT("message", error->message),
		TEXT("blockers", blockers), NUMBER("delay-ms", delay_ms));
	run->totals.retries++;
	object(run, "retry", facts);
	line(run, "%s: attempt %d: %s; again in %lld ms%s%s", task->schema->name, task->attempts,
		error->message, (long long)delay_ms, blockers ? "; in the way: " : "",
		blockers ? blockers : "");
	return record(run, "retry", facts, err);
}

int events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error, struct err *err)
{
	const struct doc_segment *segment = task_segment(task);
	const char *schema = task->schema->name;
	const char *file = statement ? segment->migration[statement->migration].file : NULL;
	int number = statement ? statement->number : -1, at = statement ? statement->line : -1;
	object(run, "schema-failed",
		FACTS(TEXT("schema", schema), TEXT("wave", wave_name(run)),
			NUMBER("segment", segment->number), NUMBER("statement", number), OPTIONAL("file", file),
			NUMBER("line", at), TEXT("reason", error->reason), TEXT("sqlstate", error->sqlstate),
			TEXT("message", error->message), TEXT("hint", error->hint)));
	if (statement)
		line(run, "%s: failed at statement %d (%s:%d): %s", schema, number, file, at,
			error->message);
	else
		line(run, "%s: failed: %s", schema, error->message);
	if (error->hint[0])
		line(run, "  hint: %s", error->hint);
	show_progress(run, task);
	return record(run, "error",
		FACTS(TEXT("schema", schema), NUMBER("segment", segment->number),
			NUMBER("statement", number), TEXT("file", file), NUMBER("line", at),
			TEXT("sqlstate", error->sqlstate), TEXT("message", error->message)),
		err);
}

/* --- ends --- */

int events_signal(struct run *run, const char *name, struct err *err)
{
	return record(run, "signal", FACTS(TEXT("signal", name)), err);
}

void events_wave_end(struct run *run)
{
	progress_end(&run->progress);
	object(run, "wave-end",
		FACTS(TEXT("wave", wave_name(run)), NUMBER("done", run->wave_done),
			NUMBER("failed", run->wave_failed), NUMBER("left", run->wave_left)));
	line(run, "wave %s: %zu done, %d failed, %zu left", wave_name(run), run->wave_done,
		run->wave_failed, run->wave_left);
}

int events_end(struct run *run, const char *result, struct err *err)
{
	const struct err *why = &run->why;
	bool stopped = why->code != ERR_NONE && why->code != ERR_INTERRUPTED;
	find_restore_point(run);
	if (stopped &&
		record(run, "error",
			FACTS(TEXT("sqlstate", why->sqlstate), TEXT("message", why->message)), err))
		return -1;
	if (record(run, "run-end",
			FACTS(TEXT("result", result), NUMBER("segments", run->totals.segments),
				NUMBER("reconciled", run->totals.reconciled), NUMBER("failed", run->totals.failed),
				NUMBER("retries", run->totals.retries), TEXT("restore-point", run->restore_point),
				TEXT("why", why->code ? why->message : run->failure.message)),
			err))
		return -1;
	return recorder_flush(run->recorder, true, err);
}

void events_run_end(struct run *run, int status, const char *result)
{
	size_t left = tasks_left(run), done = run->tasks - left;
	object(run, "run-end",
		FACTS(TEXT("result", result), NUMBER("exit", status), NUMBER("done", done),
			NUMBER("failed", run->totals.failed), NUMBER("left", left),
			TEXT("restore-point", run->restore_point), TEXT("why", run->why.message)));
	line(run, "restore point behind: %s",
		run->restore_point[0] ? run->restore_point : "not known, the session is lost");
	line(run, "%s: %zu of %zu schemas done, %lld failed, %zu left", result, done, run->tasks,
		(long long)run->totals.failed, left);
}
