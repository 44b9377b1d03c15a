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
#include "plan_statement.h"
#include "seen.h"
#include "sql.h"
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
	"Tells what of the plan has been done, and what is left; works while a run goes on.",
	status_table,
	1,
	1,
	"Reads the working copy if there is one, else the bundle. It checks the records' chain and "
	"no approval.\n",
};

struct status {
	struct bundle *bundle;
	struct document *document;
	struct digest plan;
	char *work_path;
	struct db *work;
	struct seen seen;
};

struct wave_count {
	size_t done, failed, begun, left;
};

static int read_plan(struct status *s, struct err *err)
{
	struct plan_statement statement;
	struct db_query *query = NULL;
	const void *bytes = NULL;
	size_t len = 0;
	bool row = false;
	int rc = -1;
	if (db_prepare(bundle_db(s->bundle), sql_work_plan_statement, &query, err) ||
		db_step(query, &row, err))
		goto out;
	if (!row) {
		err_set(err, ERR_FORMAT, "%s holds no plan", bundle_path(s->bundle));
		err_hint(err, "pgdocket plan makes one");
		goto out;
	}
	if (db_get_blob(query, 0, &bytes, &len, err))
		goto out;
	digest_of(bytes, len, &s->plan);
	if (plan_statement_parse(bytes, len, &statement, err))
		goto out;
	rc = document_load(
		bundle_db(s->bundle), &statement.document, statement.document_size, &s->document, err);
out:
	db_finish(query);
	return rc;
}

static int open_records(struct status *s, const char *state, struct err *err)
{
	struct db *db = bundle_db(s->bundle);
	if (!(s->work_path = workcopy_locate(state, s->document->label, &s->plan, err)))
		return -1;
	if (access(s->work_path, F_OK) == 0) {
		if (bundle_reopen_readonly_at(s->work_path, &s->work, err))
			return -1;
		db = s->work;
	}
	return seen_read(db, &s->plan, &s->seen, err);
}

static enum {
	STANDING_DONE,
	STANDING_FAILED,
	STANDING_BEGUN,
	STANDING_LEFT
} standing(const struct status *s, const struct doc_schema *schema)
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

static void count_waves(const struct status *s, struct wave_count *waves)
{
	for (size_t i = 0; i < s->document->schemas; i++) {
		const struct doc_schema *schema = &s->document->schema[i];
		struct wave_count *w = &waves[schema->wave];
		switch (standing(s, schema)) {
		case STANDING_DONE: w->done++; break;
		case STANDING_FAILED: w->failed++; break;
		case STANDING_BEGUN: w->begun++; break;
		case STANDING_LEFT:
		default: w->left++; break;
		}
	}
}

static void failures(const struct status *s, bool json, struct buf *out)
{
	const char *comma = "";
	for (size_t i = 0; i < s->document->schemas; i++) {
		const struct doc_schema *schema = &s->document->schema[i];
		const struct seen_record *failure = seen_failure(&s->seen, schema->name);
		if (!failure || standing(s, schema) != STANDING_FAILED)
			continue;
		if (json) {
			buf_add_format(out, "%s{\"schema\":", comma);
			text_json(out, schema->name, strlen(schema->name));
			buf_add_text(out, ",\"message\":");
			text_json(out, failure->failure, strlen(failure->failure));
			buf_add_char(out, '}');
			comma = ",";
			continue;
		}
		buf_add_text(out, "  failed: ");
		text_safe(out, schema->name, strlen(schema->name));
		buf_add_text(out, ": ");
		text_safe(out, failure->failure, strlen(failure->failure));
		buf_add_char(out, '\n');
	}
}

static void print_text(const struct status *s, const struct wave_count *waves, struct buf *out)
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
	for (size_t i = 0; i < s->document->waves; i++) {
		buf_add_text(out, "  wave ");
		text_safe(out, s->document->wave[i].name, strlen(s->document->wave[i].name));
		buf_add_format(out, ": %zu done, %zu failed, %zu begun, %zu left\n", waves[i].done,
			waves[i].failed, waves[i].begun, waves[i].left);
	}
	failures(s, false, out);
	if (s->work)
		buf_add_format(out, "from the working copy %s\n", s->work_path);
}

static void print_json(const struct status *s, const struct wave_count *waves, struct buf *out)
{
	char plan[DIGEST_HEX_SIZE];
	digest_hex(&s->plan, plan);
	buf_add_format(out,
		"{\"event\":\"status\",\"plan\":\"%s\",\"run\":\"%s\",\"result\":\"%s\","
		"\"waves\":[",
		plan, s->seen.run ? s->seen.run : "", s->seen.result ? s->seen.result : "");
	for (size_t i = 0; i < s->document->waves; i++) {
		buf_add_text(out, i ? ",{\"name\":" : "{\"name\":");
		text_json(out, s->document->wave[i].name, strlen(s->document->wave[i].name));
		buf_add_format(out, ",\"done\":%zu,\"failed\":%zu,\"begun\":%zu,\"left\":%zu}",
			waves[i].done, waves[i].failed, waves[i].begun, waves[i].left);
	}
	buf_add_text(out, "],\"failures\":[");
	failures(s, true, out);
	buf_add_text(out, "]}\n");
}

static int status_all(
	struct cli *cli, const struct status_options *options, const char *file, struct err *err)
{
	struct status s = { 0 };
	struct buf out = BUF_INIT(16u << 20);
	struct wave_count *waves = NULL;
	int rc = -1;
	if (bundle_open(file, &s.bundle, err) || read_plan(&s, err) ||
		open_records(&s, options->state, err))
		goto out;
	if (!(waves = calloc(s.document->waves + 1, sizeof *waves))) {
		err_nomem(err);
		goto out;
	}
	count_waves(&s, waves);
	(options->common.json ? print_json : print_text)(&s, waves, &out);
	rc = cli_print(cli, &out, err);
out:
	free(waves);
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
