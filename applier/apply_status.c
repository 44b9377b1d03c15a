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

struct status {
	const struct run *run;
	char *work_path;
	struct db *work;            /* NULL: there is no working copy */
	size_t (*waves)[STANDINGS]; /* by wave: schemas by standing */
};

static int read_plan(struct run *run, struct err *err)
{
	struct plan_statement *statement = &run->verified.trust.statement;
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	bool found = false;
	int rc = bundle_open(run->file, &run->verified.bundle, err);
	struct db *db = rc ? NULL : bundle_db(run->verified.bundle);
	if (!rc)
		rc = plan_statement_load(db, &bytes, statement, &run->verified.trust.plan, &found, err);
	if (!rc && !found) {
		err_set(err, ERR_FORMAT, "%s holds no plan", bundle_path(run->verified.bundle));
		rc = err_hint(err, "pgdocket plan makes one");
	}
	if (!rc)
		rc = document_load(
			db, &statement->document, statement->document_size, &run->verified.document, err);
	run->document = run->verified.document;
	buf_release(&bytes);
	return rc;
}

static int read_records(struct status *s, struct run *run, struct err *err)
{
	if (!(s->work_path = workcopy_locate(run, err)))
		return -1;
	if (access(s->work_path, F_OK) == 0 && bundle_reopen_readonly_at(s->work_path, &s->work, err))
		return -1;
	return tasks_build(run, err) ||
		seen_read(run, s->work ? s->work : bundle_db(run->verified.bundle), err);
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

static int count_waves(struct status *s, struct err *err)
{
	if (!(s->waves = calloc(s->run->document->waves + 1, sizeof *s->waves)))
		return err_nomem(err);
	for (size_t i = 0; i < s->run->tasks; i++)
		s->waves[s->run->task[i].schema->wave][standing(&s->run->task[i])]++;
	return 0;
}

static void add_safe(struct buf *out, const char *before, const char *text)
{
	buf_add_text(out, before);
	text_safe(out, text, strlen(text));
}

static void add_json(struct buf *out, const char *before, const char *text)
{
	buf_add_text(out, before);
	text_json(out, text, strlen(text));
}

static void failures(const struct run *run, struct buf *out)
{
	bool json = run->options.common.json, first = true;
	for (size_t i = 0; i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		if (standing(task) != FAILED)
			continue;
		if (json)
			add_json(out, first ? "{\"schema\":" : ",{\"schema\":", task->schema->name);
		else
			add_safe(out, "  failed: ", task->schema->name);
		(json ? add_json : add_safe)(out, json ? ",\"message\":" : ": ", task->failure);
		buf_add_char(out, json ? '}' : '\n');
		first = false;
	}
}

static void print_text(const struct status *s, struct buf *out)
{
	const struct document *d = s->run->document;
	char plan[DIGEST_HEX_SIZE], time[CLOCK_SECONDS_SIZE];
	digest_hex(&s->run->verified.trust.plan, plan);
	clock_seconds(s->run->seen.started_us, time);
	buf_add_format(out, "plan %.12s for ", plan);
	add_safe(out, "", d->label);
	buf_add_format(out, ": %zu schemas\n", d->schemas);
	if (s->run->seen.run[0])
		buf_add_format(out, "newest run %.8s, %s: %s\n", s->run->seen.run, time,
			s->run->seen.result[0] ? s->run->seen.result : "goes on, or was cut off");
	else
		buf_add_text(out, "no run has begun\n");
	for (size_t i = 0; i < d->waves; i++) {
		const size_t *w = s->waves[i];
		add_safe(out, "  wave ", d->wave[i].name);
		buf_add_format(out, ": %zu done, %zu failed, %zu begun, %zu left\n", w[DONE], w[FAILED],
			w[BEGUN], w[LEFT]);
	}
	failures(s->run, out);
	if (s->work)
		buf_add_format(out, "from the working copy %s\n", s->work_path);
}

static void print_json(const struct status *s, struct buf *out)
{
	const struct document *d = s->run->document;
	char plan[DIGEST_HEX_SIZE];
	digest_hex(&s->run->verified.trust.plan, plan);
	buf_add_format(out,
		"{\"event\":\"status\",\"plan\":\"%s\",\"run\":\"%s\",\"result\":\"%s\",\"waves\":[", plan,
		s->run->seen.run, s->run->seen.result);
	for (size_t i = 0; i < d->waves; i++) {
		const size_t *w = s->waves[i];
		add_json(out, i ? ",{\"name\":" : "{\"name\":", d->wave[i].name);
		buf_add_format(out, ",\"done\":%zu,\"failed\":%zu,\"begun\":%zu,\"left\":%zu}", w[DONE],
			w[FAILED], w[BEGUN], w[LEFT]);
	}
	buf_add_text(out, "],\"failures\":[");
	failures(s->run, out);
	buf_add_text(out, "]}\n");
}

static int status(struct run *run, struct err *err)
{
	struct status s = { .run = run };
	struct buf out = BUF_INIT(16u << 20);
	int rc = read_plan(run, err) || read_records(&s, run, err) || count_waves(&s, err);
	if (!rc) {
		(run->options.common.json ? print_json : print_text)(&s, &out);
		rc = cli_print(run->cli, &out, err);
	}
	free(s.waves);
	bundle_close_db(s.work);
	free(s.work_path);
	buf_release(&out);
	return rc ? -1 : 0;
}

int apply_status(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &status_command, status);
}
