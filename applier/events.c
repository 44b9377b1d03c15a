/*
 * What is told of a run: records for audit, with --json one object per line on stdout, else lines
 * for people and a progress bar on stderr. Both are written by lists of keys; those of records and
 * their order are record.h's. Texts that came from a server or a bundle are shown with control
 * characters escaped.
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

/* --- lists of keys, with a value each behind them --- */

/*
 * "t:schema i:segment n:oid d:state-after": t const char *, i int, n int64_t, z size_t, d const
 * struct digest *. NULL: the key is not in records, and is null in objects, or absent with T for t.
 * ? for a number that is an int * and is there unless NULL.
 */
struct key {
	char kind, name[32];
	const void *value;
	int64_t number;
};

static bool next_key(const char **list, va_list *values, struct key *out)
{
	size_t len = strcspn(*list, " ");
	const int *optional;
	if (len < 3)
		return false;
	out->kind = **list;
	out->value = NULL;
	snprintf(out->name, sizeof out->name, "%.*s", (int)len - 2, *list + 2);
	*list += len + ((*list)[len] == ' ');
	switch (out->kind) {
	case 'i': out->number = va_arg(*values, int); break;
	case 'n': out->number = va_arg(*values, int64_t); break;
	case 'z': out->number = (int64_t)va_arg(*values, size_t); break;
	case '?':
		optional = va_arg(*values, const int *);
		out->value = optional;
		out->number = optional ? *optional : 0;
		break;
	default: out->value = va_arg(*values, const void *); break;
	}
	return true;
}

static void record_keys(struct buf *record, const char *list, va_list values)
{
	struct key key;
	va_list rest;
	va_copy(rest, values);
	while (next_key(&list, &rest, &key)) {
		if (strchr("inz", key.kind) || (key.kind == '?' && key.value))
			record_key_int64(record, key.name, key.number);
		else if (key.value && key.kind == 'd')
			record_key_digest(record, key.name, key.value);
		else if (key.value)
			record_key(record, key.name, key.value);
	}
	va_end(rest);
}

static void add_keys(struct buf *record, const char *list, ...)
{
	va_list values;
	va_start(values, list);
	record_keys(record, list, values);
	va_end(values);
}

static int record(struct run *run, struct err *err, const char *type, const char *list, ...)
{
	va_list values;
	va_start(values, list);
	record_keys(recorder_begin(run->recorder, type), list, values);
	va_end(values);
	return recorder_add(run->recorder, err);
}

static void object_key(struct buf *out, const struct key *key)
{
	buf_add_text(out, ",\"");
	for (const char *p = key->name; *p; p++)
		buf_add_char(out, *p == '-' ? '_' : *p);
	buf_add_text(out, "\":");
	if (strchr("inz?", key->kind))
		buf_add_format(out, "%lld", (long long)key->number);
	else if (key->value)
		text_json(out, key->value, strlen(key->value));
	else
		buf_add_text(out, "null");
}

/* False without --json: then lines are for people. */
static bool object(struct run *run, const char *event, const char *list, ...)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	struct key key;
	va_list values;
	if (!run->options.common.json)
		return false;
	buf_add_format(&out, "{\"event\":\"%s\",\"run\":\"%s\"", event, run->id);
	va_start(values, list);
	while (next_key(&list, &values, &key))
		if (key.value || !strchr("?T", key.kind))
			object_key(&out, &key);
	va_end(values);
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

int events_begin(struct run *run, struct err *err)
{
	const struct trust_result *trust = &run->verified.trust;
	const struct target *target = &run->target;
	struct buf *record = recorder_begin(run->recorder, "run-start");
	struct digest binary;
	char tty[256], host[256] = "", time[CLOCK_MICROS_SIZE];
	clock_micros(target->server_now_us, time);
	find_restore_point(run);
	if (gethostname(host, sizeof host - 1))
		snprintf(host, sizeof host, "unknown");
	add_keys(record, "d:bundle d:policy t:program d:binary n:uid t:sudo-uid t:tty t:host t:label",
		bundle_digest(run->verified.bundle), trust_policy_digest(run->trust),
		"pgdocket-apply " PGDOCKET_VERSION, own_digest(&binary), (int64_t)getuid(),
		getenv("SUDO_UID"), ttyname_r(STDIN_FILENO, tty, sizeof tty) ? NULL : tty, host,
		run->document->label);
	add_keys(record,
		"t:system-identifier n:database-oid t:database i:server-version t:time-server "
		"t:restore-point t:planner i:approvals",
		target->system_identifier, target->oid, target->database, target->version, time,
		run->restore_point, trust->planner, trust->approvals);
	record_signatures(record, trust);
	add_keys(record, "t:expired i:jobs t:wave t:stop-after", trust->expired ? "yes" : NULL,
		run->workers, run->options.wave, run->options.stop_after);
	return recorder_add(run->recorder, err) || recorder_flush(run->recorder, true, err) ? -1 : 0;
}

void events_run_start(struct run *run)
{
	const struct document *d = run->document;
	char plan[DIGEST_HEX_SIZE];
	size_t left = tasks_left(run);
	digest_hex(&run->verified.trust.plan, plan);
	if (object(run, "run-start",
			"t:plan t:label t:database z:schemas z:left i:jobs t:restore-point", plan, d->label,
			d->database, run->tasks, left, run->workers, run->restore_point))
		return;
	line(run, "run %.8s of plan %.12s on %s, database %s: %zu of %zu schemas to do, %d at a time",
		run->id, plan, d->label, d->database, left, run->tasks, run->workers);
	line(run, "restore point before: %s", run->restore_point);
}

void events_wave_start(struct run *run)
{
	size_t schemas = run->wave_done + run->wave_left;
	if (!object(
			run, "wave-start", "t:wave z:schemas z:left", wave_name(run), schemas, run->wave_left))
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
	return record(run, err, "segment",
		"t:schema n:oid i:segment i:class t:wave n:xid d:state-after d:shape-after i:attempts "
		"n:duration-us t:pilot",
		task->schema->name, result->oid, task_segment(task)->number, task->class->number,
		run->document->wave[task->schema->wave].name, result->xid, &task_segment(task)->state_after,
		&result->shape, task->attempts, clock_monotonic_us() - worker->started_us,
		task_shape(task)->known ? NULL : "yes");
}

int events_reconcile(struct run *run, const struct ledger_row *row, struct err *err)
{
	const struct task *task = task_find(run, row->schema);
	char time[CLOCK_MICROS_SIZE];
	clock_micros(row->finished_us, time);
	run->totals.reconciled++;
	return record(run, err, "reconcile",
		"t:schema n:oid i:segment ?:class t:wave d:state-after d:shape-after t:applied-by "
		"t:finished",
		row->schema, row->oid, row->segment, task ? &task->class->number : NULL,
		task ? run->document->wave[task->schema->wave].name : NULL, &row->state,
		row->has_shape ? &row->shape : NULL, row->run, time);
}

void events_schema_done(struct run *run, const struct task *task)
{
	int64_t duration_ms = (clock_monotonic_us() - task->started_us) / 1000;
	if (!object(run, "schema-done", "t:schema t:wave z:segments n:duration-ms", task->schema->name,
			wave_name(run), task->program->segments, duration_ms) &&
		run->options.common.verbose)
		line(run, "%s: done in %lld ms", task->schema->name, (long long)duration_ms);
	show_progress(run, task);
}

int events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms, struct err *err)
{
	static const char keys[] =
		"t:schema i:segment i:attempt t:sqlstate t:message t:blockers n:delay-ms";
	const char *schema = task->schema->name;
	int segment = task_segment(task)->number;
	run->totals.retries++;
	int rc = record(run, err, "retry", keys, schema, segment, task->attempts, error->sqlstate,
		error->message, blockers, delay_ms);
	if (!object(run, "retry", keys, schema, segment, task->attempts, error->sqlstate,
			error->message, blockers, delay_ms))
		line(run, "%s: attempt %d: %s; again in %lld ms%s%s", schema, task->attempts,
			error->message, (long long)delay_ms, blockers ? "; in the way: " : "",
			blockers ? blockers : "");
	return rc;
}

int events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error, struct err *err)
{
	const struct doc_segment *segment = task_segment(task);
	const char *schema = task->schema->name;
	const int *number = statement ? &statement->number : NULL;
	const int *at = statement ? &statement->line : NULL;
	const char *file = statement ? segment->migration[statement->migration].file : NULL;
	int rc = record(run, err, "error",
		"t:schema i:segment ?:statement t:file ?:line t:sqlstate t:message", schema,
		segment->number, number, file, at, error->sqlstate, error->message);
	if (!object(run, "schema-failed",
			"t:schema t:wave i:segment ?:statement T:file ?:line t:reason t:sqlstate t:message "
			"t:hint",
			schema, wave_name(run), segment->number, number, file, at, error->reason,
			error->sqlstate, error->message, error->hint)) {
		if (statement)
			line(run, "%s: failed at statement %d (%s:%d): %s", schema, *number, file, *at,
				error->message);
		else
			line(run, "%s: failed: %s", schema, error->message);
		if (error->hint[0])
			line(run, "  hint: %s", error->hint);
	}
	show_progress(run, task);
	return rc;
}

/* --- ends --- */

int events_signal(struct run *run, const char *name, struct err *err)
{
	return record(run, err, "signal", "t:signal", name);
}

void events_wave_end(struct run *run)
{
	progress_end(&run->progress);
	if (!object(run, "wave-end", "t:wave z:done i:failed z:left", wave_name(run), run->wave_done,
			run->wave_failed, run->wave_left))
		line(run, "wave %s: %zu done, %d failed, %zu left", wave_name(run), run->wave_done,
			run->wave_failed, run->wave_left);
}

int events_end(struct run *run, const char *result, struct err *err)
{
	const struct err *why = &run->why;
	bool stopped = why->code != ERR_NONE && why->code != ERR_INTERRUPTED;
	find_restore_point(run);
	if (stopped && record(run, err, "error", "t:sqlstate t:message", why->sqlstate, why->message))
		return -1;
	if (record(run, err, "run-end",
			"t:result n:segments n:reconciled n:failed n:retries t:restore-point t:why", result,
			run->totals.segments, run->totals.reconciled, run->totals.failed, run->totals.retries,
			run->restore_point, why->code ? why->message : run->failure.message))
		return -1;
	return recorder_flush(run->recorder, true, err);
}

void events_run_end(struct run *run, int status, const char *result)
{
	size_t left = tasks_left(run), done = run->tasks - left;
	if (object(run, "run-end", "t:result i:exit z:done n:failed z:left t:restore-point t:why",
			result, status, done, run->totals.failed, left, run->restore_point,
			run->why.message))
		return;
	line(run, "restore point behind: %s",
		run->restore_point[0] ? run->restore_point : "not known, the session is lost");
	line(run, "%s: %zu of %zu schemas done, %lld failed, %zu left", result, done, run->tasks,
		(long long)run->totals.failed, left);
}
