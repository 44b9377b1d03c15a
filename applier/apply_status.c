/*
 * `pgdocket-apply status`: what has been done and what is left, as the records of the working copy
 * or else of the bundle say. It trusts no signature but the records' own, asks no server, and works
 * while a run goes on.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply_commands.h"
#include "bundle.h"
#include "clock.h"
#include "document.h"
#include "seen.h"
#include "text.h"
#include "workcopy.h"

struct status_options {
	struct cli_common common;
	const char *state;
};

static const struct option status_table[] = {
	{ "state", 0, OPTION_TEXT, offsetof(struct status_options, state), "DIR",
		"where working copies are kept (default " WORKCOPY_STATE ")", 0, 0 },
	CLI_COMMON_OPTIONS(struct status_options),
	{ 0 },
};

static const struct option_command status_command = {
	"status",
	"FILE",
	"Tells what of the plan has been done, and what is left.",
	status_table,
	1,
	1,
	"Works while a run goes on: it reads the working copy if there is one, else the bundle.\n"
	"It checks the records' chain and no approval.\n",
};

enum standing { STANDING_DONE, STANDING_FAILED, STANDING_BEGUN, STANDING_LEFT, STANDING_COUNT };
static const char *const standings[STANDING_COUNT] = { "done", "failed", "begun", "left" };

struct status {
	struct bundle *bundle;
	struct document *document;
	struct digest plan;
	char *work_path;
	struct db *work;
	struct seen seen;
	size_t (*wave)[STANDING_COUNT]; /* schemas by wave */
};

static int open_records(struct status *s, const char *state, struct err *err)
{
	struct db *db = bundle_db(s->bundle);
	struct plan_statement statement;
	if (workcopy_plan(db, &s->plan, &statement, err) ||
		document_load(db, &statement.document, statement.document_size, &s->document, err) ||
		!(s->work_path = workcopy_locate(state, s->document->label, &s->plan, err)))
		return -1;
	if (access(s->work_path, F_OK) == 0 && bundle_reopen_readonly_at(s->work_path, &s->work, err))
		return -1;
	if (!(s->wave = calloc(s->document->waves + 1, sizeof *s->wave)))
		return err_nomem(err);
	return seen_read(s->work ? s->work : db, &s->plan, &s->seen, err);
}

static enum standing standing_of(const struct status *s, const struct doc_schema *schema)
{
	const struct doc_class *class = &s->document->class[schema->class_index];
	size_t segments = s->document->program[class->program].segments, done = 0;
	while (done < segments && seen_done(&s->seen, schema->name, (int)done + 1))
		done++;
	if (done == segments)
		return STANDING_DONE;
	if (seen_failure(&s->seen, schema->name))
		return STANDING_FAILED;
	return done ? STANDING_BEGUN : STANDING_LEFT;
}

typedef void (*quoting)(struct buf *out, const char *bytes, size_t len);

/* Failed schemas, and the waves' counts; in both forms a list with its own words around. */
static void add_failures(const struct status *s, bool json, struct buf *out)
{
	const quoting quote = json ? text_json : text_safe;
	const char *before = json ? "{\"schema\":" : "  failed: ";
	for (size_t i = 0; i < s->document->schemas; i++) {
		const struct doc_schema *schema = &s->document->schema[i];
		if (standing_of(s, schema) != STANDING_FAILED)
			continue;
		const char *message = seen_failure(&s->seen, schema->name)->failure;
		buf_add_text(out, before);
		quote(out, schema->name, strlen(schema->name));
		buf_add_text(out, json ? ",\"message\":" : ": ");
		quote(out, message, strlen(message));
		buf_add_text(out, json ? "}" : "\n");
		before = json ? ",{\"schema\":" : before;
	}
}

static void add_waves(const struct status *s, bool json, struct buf *out)
{
	for (size_t i = 0; i < s->document->waves; i++) {
		const char *name = s->document->wave[i].name;
		buf_add_text(out, !json ? "  wave " : i ? ",{\"name\":" : "{\"name\":");
		(json ? text_json : text_safe)(out, name, strlen(name));
		for (int k = 0; k < STANDING_COUNT; k++)
			if (json)
				buf_add_format(out, ",\"%s\":%zu", standings[k], s->wave[i][k]);
			else
				buf_add_format(out, "%s%zu %s", k ? ", " : ": ", s->wave[i][k], standings[k]);
		buf_add_text(out, json ? "}" : "\n");
	}
}

static void print_text(const struct status *s, struct buf *out)
{
	char plan[DIGEST_HEX_SIZE], time[CLOCK_SECONDS_SIZE];
	digest_hex(&s->plan, plan);
	clock_seconds(s->seen.run_started_us, time);
	buf_add_format(out, "plan %.12s for ", plan);
	text_safe(out, s->document->label, strlen(s->document->label));
	buf_add_format(out, ": %zu schemas\n", s->document->schemas);
	if (s->seen.run)
		buf_add_format(out, "newest run %.8s, %s: %s\n", s->seen.run, time,
			s->seen.result ? s->seen.result : "goes on, or was cut off");
	else
		buf_add_text(out, "no run has begun\n");
	add_waves(s, false, out);
	add_failures(s, false, out);
	if (s->work)
		buf_add_format(out, "from the working copy %s\n", s->work_path);
}

static void print_json(const struct status *s, struct buf *out)
{
	char plan[DIGEST_HEX_SIZE];
	digest_hex(&s->plan, plan);
	buf_add_format(out,
		"{\"event\":\"status\",\"plan\":\"%s\",\"run\":\"%s\",\"result\":\"%s\",\"waves\":[", plan,
		s->seen.run ? s->seen.run : "", s->seen.result ? s->seen.result : "");
	add_waves(s, true, out);
	buf_add_text(out, "],\"failures\":[");
	add_failures(s, true, out);
	buf_add_text(out, "]}\n");
}

static int status_all(
	struct cli *cli, const struct status_options *options, const char *file, struct err *err)
{
	struct status s = { 0 };
	struct buf out = BUF_INIT(16u << 20);
	int rc = -1;
	if (bundle_open(file, &s.bundle, err) || open_records(&s, options->state, err))
		goto out;
	for (size_t i = 0; i < s.document->schemas; i++)
		s.wave[s.document->schema[i].wave][standing_of(&s, &s.document->schema[i])]++;
	(options->common.json ? print_json : print_text)(&s, &out);
	rc = cli_print(cli, &out, err);
out:
	free(s.wave);
	seen_release(&s.seen);
	bundle_close_db(s.work);
	free(s.work_path);
	document_free(s.document);
	bundle_close(s.bundle);
	buf_release(&out);
	return rc;
}

int apply_status(struct cli *cli, int argc, char **argv)
{
	struct status_options options = { 0 };
	struct err err = ERR_INIT;
	const char *file = NULL;
	bool done = false;
	if (cli_options(cli, &status_command, argc, argv, &options, &file, &done, &err) ||
		(!done && status_all(cli, &options, file, &err)))
		return cli_fail(cli, &err);
	return 0;
}
