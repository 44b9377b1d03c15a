/*
 * What is told of a run: records for audit, with --json one object per line on stdout, else lines for
 * people and a progress bar on stderr. What a record and an object have in common is one list of fields.
 * Keys of records and their order are record.h's. Texts that came from a server or a bundle are shown
 * with control characters escaped.
 */
#include "applier.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "text.h"

#define LINE_MAX_BYTES 16384
#define PROGRAM_MAX (64u << 20)
#define START_MAX 13000 /* what signatures may fill of the first record */

/* --- fields: a list ends with no key --- */

struct field {
	const char *key; /* in objects with _ for - */
	enum { FIELD_TEXT, FIELD_NUMBER, FIELD_DIGEST, FIELD_ABSENT } kind;
	const char *text; /* NULL: not in records, null in objects */
	int64_t number;
	const struct digest *digest;
};

#define TEXT(key, value) \
	{ \
		key, FIELD_TEXT, value, 0, NULL \
	}
#define NUMBER(key, value) \
	{ \
		key, FIELD_NUMBER, NULL, value, NULL \
	}
#define NUMBER_IF(there, key, value) \
	{ \
		key, (there) ? FIELD_NUMBER : FIELD_ABSENT, NULL, (there) ? (value) : 0, NULL \
	}
#define DIGEST(key, value) \
	{ \
		key, (value) ? FIELD_DIGEST : FIELD_ABSENT, NULL, 0, value \
	}
#define FIELDS(...) \
	(const struct field[]) \
	{ \
		__VA_ARGS__, \
		{ \
			0 \
		} \
	}
/* Where something failed; statement may be NULL. */
#define PLACE(segment, statement) \
	NUMBER("segment", (segment)->number), NUMBER_IF(statement, "statement", (statement)->number), \
		{ "file", (statement) ? FIELD_TEXT : FIELD_ABSENT, \
			(statement) ? (segment)->migration[(statement)->migration].file : NULL, 0, NULL }, \
		NUMBER_IF(statement, "line", (statement)->line)

static void record_fields(struct buf *record, const struct field *f)
{
	for (; f->key; f++) {
		if (f->kind == FIELD_NUMBER)
			record_key_int64(record, f->key, f->number);
		else if (f->kind == FIELD_DIGEST)
			record_key_digest(record, f->key, f->digest);
		else if (f->kind == FIELD_TEXT && f->text)
			record_key(record, f->key, f->text);
	}
}

static int record(struct run *run, const char *type, const struct field *f, struct err *err)
{
	record_fields(recorder_begin(run->recorder, type), f);
	return recorder_add(run->recorder, err);
}

static void object_field(struct buf *out, const struct field *f)
{
	buf_add_text(out, ",\"");
	for (const char *p = f->key; *p; p++)
		buf_add_char(out, *p == '-' ? '_' : *p);
	buf_add_text(out, "\":");
	if (f->kind == FIELD_NUMBER)
		buf_add_format(out, "%lld", (long long)f->number);
	else if (f->text)
		text_json(out, f->text, strlen(f->text));
	else
		buf_add_text(out, "null");
}

/* False without --json: then lines are for people. */
static bool object(struct run *run, const char *event, const struct field *f)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	if (!run->options.common.json)
		return false;
	buf_add_format(&out, "{\"event\":\"%s\"", event);
	object_field(&out, &(const struct field)TEXT("run", run->id));
	for (; f->key; f++)
		if (f->kind != FIELD_ABSENT)
			object_field(&out, f);
	buf_add_text(&out, "}\n");
	progress_clear(&run->progress);
	fwrite(buf_text(&out), 1, out.len, run->cli->out);
	fflush(run->cli->out);
	buf_release(&out);
	return true;
}

/* --- lines --- */

static void PRINTF_LIKE(3, 0)
	say(struct run *run, FILE *stream, const char *format, va_list arguments)
{
	struct buf safe = BUF_INIT(LINE_MAX_BYTES);
	char text[4096];
	int n = vsnprintf(text, sizeof text, format, arguments);
	text_safe(&safe, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
	progress_clear(&run->progress);
	fprintf(stream, "%s\n", buf_text(&safe));
	fflush(stream);
	buf_release(&safe);
}

static void PRINTF_LIKE(2, 3) line(struct run *run, const char *format, ...)
{
	va_list arguments;
	if (run->options.common.quiet)
		return;
	va_start(arguments, format);
	say(run, run->cli->out, format, arguments);
	va_end(arguments);
}

void events_note(struct run *run, const char *format, ...)
{
	va_list arguments;
	if (run->options.common.quiet)
		return;
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

int events_begin(struct run *run, struct err *err)
{
	const struct trust_result *trust = &run->verified.trust;
	const struct target *target = &run->target;
	struct buf *record = recorder_begin(run->recorder, "run-start");
	struct digest binary;
	char tty[256], host[256] = "", time[CLOCK_MICROS_SIZE];
	clock_micros(target->server_now_us, time);
	if (gethostname(host, sizeof host - 1))
		snprintf(host, sizeof host, "unknown");
	record_fields(record,
		FIELDS(DIGEST("bundle", bundle_digest(run->verified.bundle)),
			DIGEST("policy", trust_policy_digest(run->trust)),
			TEXT("program", "pgdocket-apply " PGDOCKET_VERSION),
			DIGEST("binary", own_digest(&binary)), NUMBER("uid", (int64_t)getuid()),
			TEXT("sudo-uid", getenv("SUDO_UID")),
			TEXT("tty", ttyname_r(STDIN_FILENO, tty, sizeof tty) ? NULL : tty), TEXT("host", host),
			TEXT("label", run->document->label),
			TEXT("system-identifier", target->system_identifier),
			NUMBER("database-oid", target->oid), TEXT("database", target->database),
			NUMBER("server-version", target->version), TEXT("time-server", time),
			TEXT("planner", trust->planner), NUMBER("approvals", trust->approvals)));
	record_signatures(record, trust);
	record_fields(record,
		FIELDS(TEXT("expired", trust->expired ? "yes" : NULL), NUMBER("jobs", run->workers),
			TEXT("wave", run->options.wave), TEXT("stop-after", run->options.stop_after)));
	return recorder_add(run->recorder, err) || recorder_flush(run->recorder, true, err) ? -1 : 0;
}

void events_run_start(struct run *run)
{
	const struct document *d = run->document;
	char plan[DIGEST_HEX_SIZE];
	size_t left = tasks_left(run);
	digest_hex(&run->verified.trust.plan, plan);
	if (!object(run, "run-start",
			FIELDS(TEXT("plan", plan), TEXT("label", d->label), TEXT("database", d->database),
				NUMBER("schemas", (int64_t)run->tasks), NUMBER("left", (int64_t)left),
				NUMBER("jobs", run->workers))))
		line(run,
			"run %.8s of plan %.12s on %s, database %s: %zu of %zu schemas to do, %d at a time",
			run->id, plan, d->label, d->database, left, run->tasks, run->workers);
}

void events_wave_start(struct run *run)
{
	size_t schemas = run->wave_done + run->wave_left;
	if (!object(run, "wave-start",
			FIELDS(TEXT("wave", wave_name(run)), NUMBER("schemas", (int64_t)schemas),
				NUMBER("left", (int64_t)run->wave_left))))
		line(run, "wave %d of %zu, %s: %zu of %zu schemas to do", run->wave + 1,
			run->document->waves, wave_name(run), run->wave_left, schemas);
	progress_start(&run->progress, run->cli->talk, cli_progress(&run->options.common),
		wave_name(run), (int64_t)schemas);
	progress_update(&run->progress, (int64_t)run->wave_done, NULL);
}

/* --- schemas --- */

int events_segment(struct run *run, const struct worker *worker, struct err *err)
{
	const struct task *task = worker->task;
	const struct segment_result *result = segment_result(worker->engine);
	run->totals.segments++;
	return record(run, "segment",
		FIELDS(TEXT("schema", task->schema->name), NUMBER("oid", result->oid),
			NUMBER("segment", task_segment(task)->number), NUMBER("class", task->class->number),
			TEXT("wave", run->document->wave[task->schema->wave].name), NUMBER("xid", result->xid),
			DIGEST("state-after", &task_segment(task)->state_after),
			DIGEST("shape-after", &result->shape), NUMBER("attempts", task->attempts),
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
		FIELDS(TEXT("schema", row->schema), NUMBER("oid", row->oid),
			NUMBER("segment", row->segment), NUMBER_IF(task, "class", task->class->number),
			TEXT("wave", task ? run->document->wave[task->schema->wave].name : NULL),
			DIGEST("state-after", &row->state),
			DIGEST("shape-after", row->has_shape ? &row->shape : NULL),
			TEXT("applied-by", row->run), TEXT("finished", time)),
		err);
}

void events_schema_done(struct run *run, const struct task *task)
{
	int64_t duration_ms = (clock_monotonic_us() - task->started_us) / 1000;
	if (!object(run, "schema-done",
			FIELDS(TEXT("schema", task->schema->name), TEXT("wave", wave_name(run)),
				NUMBER("segments", (int64_t)task->program->segments),
				NUMBER("duration_ms", duration_ms))) &&
		run->options.common.verbose)
		line(run, "%s: done in %lld ms", task->schema->name, (long long)duration_ms);
	show_progress(run, task);
}

int events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms, struct err *err)
{
	const struct field fields[] = { TEXT("schema", task->schema->name),
		NUMBER("segment", task_segment(task)->number), NUMBER("attempt", task->attempts),
		TEXT("sqlstate", error->sqlstate), TEXT("message", error->message),
		TEXT("blockers", blockers), NUMBER("delay-ms", delay_ms), { 0 } };
	run->totals.retries++;
	int rc = record(run, "retry", fields, err);
	if (!object(run, "retry", fields))
		line(run, "%s: attempt %d: %s; again in %lld ms%s%s", task->schema->name, task->attempts,
			error->message, (long long)delay_ms, blockers ? "; in the way: " : "",
			blockers ? blockers : "");
	return rc;
}

static void failed_lines(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error)
{
	if (statement)
		line(run, "%s: failed at statement %d (%s:%d): %s", task->schema->name, statement->number,
			task_segment(task)->migration[statement->migration].file, statement->line,
			error->message);
	else
		line(run, "%s: failed: %s", task->schema->name, error->message);
	if (error->hint[0])
		line(run, "  hint: %s", error->hint);
}

int events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error, struct err *err)
{
	const struct doc_segment *segment = task_segment(task);
	int rc = record(run, "error",
		FIELDS(TEXT("schema", task->schema->name), PLACE(segment, statement),
			TEXT("sqlstate", error->sqlstate), TEXT("message", error->message)),
		err);
	if (!object(run, "schema-failed",
			FIELDS(TEXT("schema", task->schema->name), TEXT("wave", wave_name(run)),
				PLACE(segment, statement), TEXT("reason", error->reason),
				TEXT("sqlstate", error->sqlstate), TEXT("message", error->message),
				TEXT("hint", error->hint))))
		failed_lines(run, task, statement, error);
	show_progress(run, task);
	return rc;
}

/* --- ends --- */

int events_signal(struct run *run, const char *name, struct err *err)
{
	return record(run, "signal", FIELDS(TEXT("signal", name)), err);
}

void events_wave_end(struct run *run)
{
	progress_end(&run->progress);
	if (!object(run, "wave-end",
			FIELDS(TEXT("wave", wave_name(run)), NUMBER("done", (int64_t)run->wave_done),
				NUMBER("failed", run->wave_failed), NUMBER("left", (int64_t)run->wave_left))))
		line(run, "wave %s: %zu done, %d failed, %zu left", wave_name(run), run->wave_done,
			run->wave_failed, run->wave_left);
}

int events_end(struct run *run, const char *result, struct err *err)
{
	const struct err *why = &run->why;
	if (why->code != ERR_NONE && why->code != ERR_INTERRUPTED &&
		record(run, "error", FIELDS(TEXT("sqlstate", why->sqlstate), TEXT("message", why->message)),
			err))
		return -1;
	if (record(run, "run-end",
			FIELDS(TEXT("result", result), NUMBER("segments", run->totals.segments),
				NUMBER("reconciled", run->totals.reconciled), NUMBER("failed", run->totals.failed),
				NUMBER("retries", run->totals.retries),
				TEXT("why", why->code ? why->message : run->failure.message)),
			err))
		return -1;
	return recorder_flush(run->recorder, true, err);
}

void events_run_end(struct run *run, int status, const char *result)
{
	size_t left = tasks_left(run), done = run->tasks - left;
	if (!object(run, "run-end",
			FIELDS(TEXT("result", result), NUMBER("exit", status), NUMBER("done", (int64_t)done),
				NUMBER("failed", run->totals.failed), NUMBER("left", (int64_t)left),
				TEXT("why", run->why.message))))
		line(run, "%s: %zu of %zu schemas done, %lld failed, %zu left", result, done, run->tasks,
			(long long)run->totals.failed, left);
}
