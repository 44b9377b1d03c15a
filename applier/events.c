/*
 * What a run says while it goes on: with --json one object per line on stdout, else lines for
 * people and a progress bar on stderr. Texts that came from a server or a bundle are shown with
 * control characters escaped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "run.h"
#include "text.h"

#define LINE_MAX_BYTES 16384

static void say(struct run *run, FILE *stream, const char *format, va_list arguments)
{
	struct buf safe = BUF_INIT(LINE_MAX_BYTES);
	char text[4096];
	vsnprintf(text, sizeof text, format, arguments);
	text_safe(&safe, text, strlen(text));
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

/* --json: begin an event's object; its fields and close follow. False: lines are wanted. */
static bool object(struct run *run, struct buf *out, const char *event)
{
	buf_init(out, LINE_MAX_BYTES);
	if (!run->options->common.json)
		return false;
	buf_add_format(out, "{\"event\":\"%s\"", event);
	fields_json(out, "t:run", run->id);
	return true;
}

static void finish(struct run *run, struct buf *out)
{
	progress_clear(&run->progress);
	fprintf(run->cli->out, "%s}\n", buf_text(out));
	fflush(run->cli->out);
	buf_release(out);
}

static const char *wave_name(const struct run *run)
{
	return run->document->wave[run->wave].name;
}

void events_run_start(struct run *run)
{
	const char *label = run->document->label, *database = run->document->database;
	struct buf out;
	char plan[DIGEST_HEX_SIZE];
	size_t left = tasks_left(run);
	digest_hex(&run->verified->trust.plan, plan);
	if (object(run, &out, "run-start")) {
		fields_json(&out, "t:plan t:label t:database n:schemas n:left n:jobs", plan, label,
			database, (int64_t)run->tasks, (int64_t)left, (int64_t)run->workers);
		finish(run, &out);
		return;
	}
	line(run, "run %.8s of plan %.12s on %s, database %s: %zu of %zu schemas to do, %d at a time",
		run->id, plan, label, database, left, run->tasks, run->workers);
}

void events_wave_start(struct run *run)
{
	struct buf out;
	size_t schemas = run->wave_done + run->wave_left;
	if (object(run, &out, "wave-start")) {
		fields_json(&out, "t:wave n:schemas n:left", wave_name(run), (int64_t)schemas,
			(int64_t)run->wave_left);
		finish(run, &out);
	} else {
		line(run, "wave %d of %zu, %s: %zu of %zu schemas to do", run->wave + 1,
			run->document->waves, wave_name(run), run->wave_left, schemas);
	}
	progress_start(&run->progress, run->cli->talk, cli_progress(&run->options->common),
		wave_name(run), (int64_t)schemas);
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
	struct buf out;
	if (object(run, &out, "schema-done")) {
		fields_json(&out, "t:schema t:wave n:segments n:duration-ms", task->schema->name,
			wave_name(run), (int64_t)task->program->segments, duration_us / 1000);
		finish(run, &out);
	} else if (run->options->common.verbose) {
		line(run, "%s: done in %lld ms", task->schema->name, (long long)(duration_us / 1000));
	}
	show_progress(run, task);
}

void events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms)
{
	struct buf out;
	if (object(run, &out, "retry")) {
		fields_json(&out, "t:schema n:segment n:attempt t:sqlstate t:message t:blockers n:delay-ms",
			task->schema->name, (int64_t)task->program->segment[task->next].number,
			(int64_t)task->attempts, error->sqlstate, error->message, blockers, delay_ms);
		finish(run, &out);
		return;
	}
	line(run, "%s: attempt %d: %s; again in %lld ms%s%s", task->schema->name, task->attempts,
		error->message, (long long)delay_ms, blockers ? "; in the way: " : "",
		blockers ? blockers : "");
}

void events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error)
{
	const struct doc_segment *segment = &task->program->segment[task->next];
	const char *file = statement ? segment->migration[statement->migration].file : NULL;
	struct buf out;
	if (object(run, &out, "schema-failed")) {
		fields_json(&out, "t:schema t:wave n:segment", task->schema->name, wave_name(run),
			(int64_t)segment->number);
		if (statement)
			fields_json(&out, "n:statement t:file n:line", (int64_t)statement->number, file,
				(int64_t)statement->line);
		fields_json(&out, "t:reason t:sqlstate t:message t:hint", error->reason, error->sqlstate,
			error->message, error->hint);
		finish(run, &out);
	} else {
		if (statement)
			line(run, "%s: failed at statement %d (%s:%d): %s", task->schema->name,
				statement->number, file, statement->line, error->message);
		else
			line(run, "%s: failed: %s", task->schema->name, error->message);
		if (error->hint[0])
			line(run, "  hint: %s", error->hint);
	}
	show_progress(run, task);
}

void events_wave_end(struct run *run)
{
	struct buf out;
	progress_end(&run->progress);
	if (object(run, &out, "wave-end")) {
		fields_json(&out, "t:wave n:done n:failed n:left", wave_name(run), (int64_t)run->wave_done,
			(int64_t)run->wave_failed, (int64_t)run->wave_left);
		finish(run, &out);
		return;
	}
	line(run, "wave %s: %zu done, %d failed, %zu left", wave_name(run), run->wave_done,
		run->wave_failed, run->wave_left);
}

void events_run_end(struct run *run, int status, const char *result)
{
	struct buf out;
	size_t left = tasks_left(run), done = run->tasks - left;
	if (object(run, &out, "run-end")) {
		fields_json(&out, "t:result n:exit n:done n:failed n:left t:why", result, (int64_t)status,
			(int64_t)done, run->totals.failed, (int64_t)left, run->why.message);
		finish(run, &out);
		return;
	}
	line(run, "%s: %zu of %zu schemas done, %lld failed, %zu left", result, done, run->tasks,
		(long long)run->totals.failed, left);
}
