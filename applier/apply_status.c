/*
 * `pgdocket-apply status`: what has been done and what is left, as the records of the working copy
 * or else of the bundle say. It trusts no signature but the records' own, asks no server, and works
 * while a run goes on.
 */
#include "applier.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

static const struct option status_table[] = { APPLY_STATE_OPTION,
	CLI_COMMON_OPTIONS(struct apply_options), { 0 } };

static const struct option_command status_command = { "status", "FILE",
	"Tells what of the plan has been done, and what is left; works while a run goes on.",
	status_table, 1, 1,
	"Reads the working copy if there is one, else the bundle. It checks the records' chain and "
	"no approval.\n" };

enum standing { DONE, FAILED, BEGUN, LEFT, STANDINGS };

static int read_plan(struct run *run, struct err *err)
{
	struct plan_statement *statement = &run->verified.trust.statement;
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	bool found = false;
	int rc = bundle_open(run->file, &run->verified.bundle, err) ||
		plan_statement_load(bundle_db(run->verified.bundle), &bytes, statement,
			&run->verified.trust.plan, &found, err) ||
		(!found && err_set_hint(err, ERR_FORMAT, "pgdocket plan makes one", "%s holds no plan",
			bundle_path(run->verified.bundle))) ||
		document_load(bundle_db(run->verified.bundle), &statement->document,
			statement->document_size, &run->verified.document, err);
	run->document = run->verified.document;
	buf_release(&bytes);
	return rc;
}

static enum standing standing(const struct task *task)
{
	size_t segments = task->program->segments, done = 0;
	while (done < segments && task->recorded[done])
		done++;
	if (done == segments)
		return DONE;
	return task->failure ? FAILED : done ? BEGUN : LEFT;
}

/* For people or as JSON. */
static void add(const struct run *run, struct buf *out, const char *before, const char *text)
{
	buf_add_text(out, before);
	(run->options.common.json ? text_json : text_safe)(out, text, strlen(text));
}

/* wave -1: all of them */
static void count(const struct run *run, int wave, struct buf *out)
{
	size_t n[STANDINGS] = { 0 };
	for (size_t i = 0; i < run->tasks; i++)
		if (wave < 0 || run->task[i].schema->wave == wave)
			n[standing(&run->task[i])]++;
	buf_add_format(out,
		run->options.common.json ? "\"done\":%zu,\"failed\":%zu,\"begun\":%zu,\"left\":%zu"
								 : "%zu done, %zu failed, %zu begun, %zu left",
		n[DONE], n[FAILED], n[BEGUN], n[LEFT]);
}

static void waves(const struct run *run, struct buf *out)
{
	bool json = run->options.common.json;
	for (size_t i = 0; i < run->document->waves; i++) {
		add(run, out, json ? i ? ",{\"name\":" : "{\"name\":" : "  wave ",
			run->document->wave[i].name);
		buf_add_text(out, json ? "," : ": ");
		count(run, (int)i, out);
		buf_add_char(out, json ? '}' : '\n');
	}
	buf_add_text(out, json ? "],\"all\":{" : "  all waves: ");
	count(run, -1, out);
	buf_add_text(out, json ? "}" : "\n");
}

static void failures(const struct run *run, struct buf *out)
{
	bool json = run->options.common.json, first = true;
	for (size_t i = 0; i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		if (standing(task) != FAILED)
			continue;
		add(run, out, !json ? "  failed: " : first ? "{\"schema\":" : ",{\"schema\":",
			task->schema->name);
		add(run, out, json ? ",\"message\":" : ": ", task->failure);
		buf_add_char(out, json ? '}' : '\n');
		first = false;
	}
}

static void head(const struct run *run, struct buf *out)
{
	const char *id = run->seen.run, *result = run->seen.result;
	char plan[DIGEST_HEX_SIZE], time[CLOCK_SECONDS_SIZE];
	digest_hex(&run->verified.trust.plan, plan);
	clock_seconds(run->seen.started_us, time);
	if (run->options.common.json) {
		buf_add_format(out,
			"{\"event\":\"status\",\"plan\":\"%s\",\"run\":\"%s\",\"result\":\"%s\",\"waves\":[",
			plan, id, result);
		return;
	}
	buf_add_format(out, "plan %.12s", plan);
	add(run, out, " for ", run->document->label);
	buf_add_format(out, ": %zu schemas\n", run->document->schemas);
	if (*id)
		buf_add_format(out, "newest run %.8s, %s: %s\n", id, time,
			*result ? result : "goes on, or was cut off");
	else
		buf_add_text(out, "no run has begun\n");
}

static int status(struct run *run, struct err *err)
{
	struct buf out = BUF_INIT(16u << 20);
	char *path = NULL;
	struct db *work = NULL; /* NULL: there is no working copy */
	int rc = read_plan(run, err) || !(path = workcopy_locate(run, err)) ||
		(access(path, F_OK) == 0 && bundle_reopen_readonly_at(path, &work, err)) ||
		tasks_build(run, err) ||
		seen_read(run, work ? work : bundle_db(run->verified.bundle), err);
	if (!rc) {
		head(run, &out);
		waves(run, &out);
		buf_add_text(&out, run->options.common.json ? ",\"failures\":[" : "");
		failures(run, &out);
		if (run->options.common.json)
			buf_add_text(&out, "]}\n");
		else if (work)
			buf_add_format(&out, "from the working copy %s\n", path);
		rc = cli_print(run->cli, &out, err);
	}
	bundle_close_db(work);
	free(path);
	buf_release(&out);
	return rc ? -1 : 0;
}

int apply_status(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &status_command, status);
}
