/*
 * What a run says while it goes on: with --json one object per line on stdout, else lines for
 * people and a progress bar on stderr. Texts that came from a server or a bundle are shown with
 * control characters escaped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "text.h"

#define LINE_MAX_BYTES 16384

/* --- lines --- */

static void out_line(struct run *run, const struct buf *line)
{
	progress_clear(&run->progress);
	fwrite(buf_text(line), 1, line->len, run->cli->out);
	fputc('\n', run->cli->out);
	fflush(run->cli->out);
}

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
	if (run->options->common.json || run->options->common.quiet)
		return;
	va_start(arguments, format);
	say(run, run->cli->out, format, arguments);
	va_end(arguments);
}

void events_note(struct run *run, const char *format, ...)
{
	va_list arguments;
	if (run->options->common.quiet)
		return;
	va_start(arguments, format);
	say(run, run->cli->talk, format, arguments);
	va_end(arguments);
}

/* --- objects --- */

static void key_text(struct buf *out, const char *key, const char *value)
{
	buf_add_format(out, ",\"%s\":", key);
	if (value)
		text_json(out, value, strlen(value));
	else
		buf_add_text(out, "null");
}

static void key_number(struct buf *out, const char *key, int64_t value)
{
	buf_add_format(out, ",\"%s\":%lld", key, (long long)value);
}

static bool object_open(struct run *run, struct buf *out, const char *event)
{
	if (!run->options->common.json)
		return false;
	buf_add_format(out, "{\"event\":\"%s\"", event);
	key_text(out, "run", run->id);
	return true;
}

static void object_close(struct run *run, struct buf *out)
{
	buf_add_char(out, '}');
	out_line(run, out);
	buf_release(out);
}

static const char *wave_name(const struct run *run)
{
	return run->document->wave[run->wave].name;
}

/* --- the run --- */

void events_run_start(struct run *run)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	char plan[DIGEST_HEX_SIZE];
	size_t left = tasks_left(run);
	digest_hex(&run->verified->trust.plan, plan);
	if (object_open(run, &out, "run-start")) {
		key_text(&out, "plan", plan);
		key_text(&out, "label", run->document->label);
		key_text(&out, "database", run->document->database);
		key_number(&out, "schemas", (int64_t)run->tasks);
		key_number(&out, "left", (int64_t)left);
		key_number(&out, "jobs", run->workers);
		object_close(run, &out);
		return;
	}
	line(run, "run %.8s of plan %.12s on %s, database %s: %zu of %zu schemas to do, %d at a time",
		run->id, plan, run->document->label, run->document->database, left, run->tasks,
		run->workers);
}

void events_wave_start(struct run *run)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	if (object_open(run, &out, "wave-start")) {
		key_text(&out, "wave", wave_name(run));
		key_number(&out, "schemas", (int64_t)(run->wave_done + run->wave_left));
		key_number(&out, "left", (int64_t)run->wave_left);
		object_close(run, &out);
	} else {
		line(run, "wave %d of %zu, %s: %zu of %zu schemas to do", run->wave + 1,
			run->document->waves, wave_name(run), run->wave_left, run->wave_done + run->wave_left);
	}
	progress_start(&run->progress, run->cli->talk, cli_progress(&run->options->common),
		wave_name(run), (int64_t)(run->wave_done + run->wave_left));
	progress_update(&run->progress, (int64_t)run->wave_done, NULL);
}

static void show_progress(struct run *run, const struct task *task)
{
	struct buf name = BUF_INIT(1024);
	text_safe(&name, task->schema->name, strlen(task->schema->name));
	progress_update(&run->progress, (int64_t)run->wave_done + run->wave_failed, buf_text(&name));
	buf_release(&name);
}

void events_schema_done(struct run *run, const struct task *task, int64_t duration_us)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	if (object_open(run, &out, "schema-done")) {
		key_text(&out, "schema", task->schema->name);
		key_text(&out, "wave", wave_name(run));
		key_number(&out, "segments", (int64_t)task->program->segments);
		key_number(&out, "duration_ms", duration_us / 1000);
		object_close(run, &out);
	} else if (run->options->common.verbose) {
		line(run, "%s: done in %lld ms", task->schema->name, (long long)(duration_us / 1000));
	}
	show_progress(run, task);
}

void events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_us)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	if (object_open(run, &out, "retry")) {
		key_text(&out, "schema", task->schema->name);
		key_number(&out, "segment", task->program->segment[task->next].number);
		key_number(&out, "attempt", task->attempts);
		key_text(&out, "sqlstate", error->sqlstate);
		key_text(&out, "message", error->message);
		key_text(&out, "blockers", blockers);
		key_number(&out, "delay_ms", delay_us / 1000);
		object_close(run, &out);
		return;
	}
	line(run, "%s: attempt %d: %s; again in %lld ms%s%s", task->schema->name, task->attempts,
		error->message, (long long)(delay_us / 1000), blockers ? "; in the way: " : "",
		blockers ? blockers : "");
}

static void failed_line(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error)
{
	const struct doc_segment *segment = &task->program->segment[task->next];
	if (statement)
		line(run, "%s: failed at statement %d (%s:%d): %s", task->schema->name, statement->number,
			segment->migration[statement->migration].file, statement->line, error->message);
	else
		line(run, "%s: failed: %s", task->schema->name, error->message);
	if (error->hint[0])
		line(run, "  hint: %s", error->hint);
}

void events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	const struct doc_segment *segment = &task->program->segment[task->next];
	if (object_open(run, &out, "schema-failed")) {
		key_text(&out, "schema", task->schema->name);
		key_text(&out, "wave", wave_name(run));
		key_number(&out, "segment", segment->number);
		if (statement) {
			key_number(&out, "statement", statement->number);
			key_text(&out, "file", segment->migration[statement->migration].file);
			key_number(&out, "line", statement->line);
		}
		key_text(&out, "reason", error->reason);
		key_text(&out, "sqlstate", error->sqlstate);
		key_text(&out, "message", error->message);
		key_text(&out, "hint", error->hint);
		object_close(run, &out);
	} else {
		failed_line(run, task, statement, error);
	}
	show_progress(run, task);
}

void events_wave_end(struct run *run)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	progress_end(&run->progress);
	if (object_open(run, &out, "wave-end")) {
		key_text(&out, "wave", wave_name(run));
		key_number(&out, "done", (int64_t)run->wave_done);
		key_number(&out, "failed", run->wave_failed);
		key_number(&out, "left", (int64_t)run->wave_left);
		object_close(run, &out);
		return;
	}
	line(run, "wave %s: %zu done, %d failed, %zu left", wave_name(run), run->wave_done,
		run->wave_failed, run->wave_left);
}

void events_run_end(struct run *run, int status, const char *result)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	size_t left = tasks_left(run), done = run->tasks - left;
	if (object_open(run, &out, "run-end")) {
		key_text(&out, "result", result);
		key_number(&out, "exit", status);
		key_number(&out, "done", (int64_t)done);
		key_number(&out, "failed", run->totals.failed);
		key_number(&out, "left", (int64_t)left);
		key_text(&out, "why", run->why.message);
		object_close(run, &out);
		return;
	}
	line(run, "%s: %zu of %zu schemas done, %lld failed, %zu left", result, done, run->tasks,
		(long long)run->totals.failed, left);
}
