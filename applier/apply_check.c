/*
 * `pgdocket-apply verify`: the checks that come before a server is asked, as `run` does them.
 * `pgdocket-apply check`: what run would find wrong, all at once: fitness.c's questions, then each
 * schema's state and structure. Neither changes anything.
 */
#include "applier.h"

#include <stdio.h>
#include <string.h>

#include "sql.h"
#include "text.h"

/* --- verify --- */

static const struct option verify_table[] = { APPLY_TRUST_OPTION,
	CLI_COMMON_OPTIONS(struct apply_options), { 0 } };

static const struct option_command verify_command = { "verify", "FILE",
	"checks everything that can be checked without the server", verify_table, 1, 1,
	"Signatures, quorum, times and identity by the policy; the plan document, every object, "
	"the snapshot, earlier runs' records.\n"
	"Exit code 0: verified; 3: refused.\n" };

static int verify(struct run *run, struct err *err)
{
	struct buf report = BUF_INIT(4u << 20);
	int rc = prepare_bundle(run, false, err) ||
		(run->options.common.json ? verify_report_json : verify_report)(
			&run->verified, &report, err) ||
		cli_print(run->cli, &report, err);
	buf_release(&report);
	return rc ? -1 : 0;
}

int apply_verify(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &verify_command, verify);
}

/* --- check --- */

static const struct option check_table[] = { APPLY_TRUST_OPTION, APPLY_JOBS_OPTION,
	CLI_CONNECTION_OPTIONS(struct apply_options), CLI_COMMON_OPTIONS(struct apply_options), { 0 } };

static const struct option_command check_command = { "check", "FILE",
	"Tells whether the plan could be applied now; changes nothing.", check_table, 1, 1,
	"Exit code 0: fit; 1: not fit; 3: refused, or a schema differs from what was planned for.\n" };

static void show(struct findings *findings, const char *kind, const char *text, const char *hint)
{
	struct buf *out = &findings->report;
	const char *word = text_among((const char *const[]){ "info", "note", "unfit", NULL }, kind)
		? kind
		: strcmp(kind, "drift") == 0 ? "differs"
									 : "refused";
	if (findings->run->options.common.json) {
		buf_add_format(out, "%s{\"kind\":\"%s\",\"reason\":\"%s\",\"message\":",
			out->len ? "," : "", word, kind);
		text_json(out, text, strlen(text));
		buf_add_text(out, ",\"hint\":");
		text_json(out, hint ? hint : "", hint ? strlen(hint) : 0);
		buf_add_char(out, '}');
		return;
	}
	buf_add_format(out, "%-8s ", word);
	text_safe(out, text, strlen(text));
	if (hint) {
		buf_add_text(out, "\n         hint: ");
		text_safe(out, hint, strlen(hint));
	}
	buf_add_char(out, '\n');
}

/* --- schemas that are still to be begun --- */

static void differs(struct findings *findings, const struct task *task, const char *what)
{
	char text[1400];
	snprintf(text, sizeof text, "schema %s: %s", task->schema->name, what);
	findings_add(findings, "drift", text, NULL);
}

/* Under the schema's own search_path; asked alone, so that a failure is this schema's alone. */
static int check_state(struct findings *findings, const struct task *task, struct err *err)
{
	struct session *control = findings->run->control;
	struct rows *rows = NULL;
	struct digest state;
	if (ask_run(control, sql_check_path, err, "t", task->schema->name))
		return -1;
	if (ask_rows(control, task->class->read_state.text, &rows, err, "")) {
		if (session_lost(control))
			return -1;
		differs(findings, task, err->message);
		err_clear(err);
	} else if (rows_count(rows) != 1 || !ask_digest(rows, 0, 0, &state) ||
		!digest_equal(&state, &task->class->state_before)) {
		differs(findings, task, "its migration state is not the one that was planned for");
	}
	rows_free(rows);
	return 0;
}

static int check_batch(
	struct findings *findings, const struct task *const *batch, size_t n, struct err *err)
{
	struct buf oids = BUF_INIT(1u << 16);
	struct rows *rows = NULL;
	int rc = 0;
	for (size_t i = 0; i < n; i++)
		ask_array_number(&oids, batch[i]->oid);
	ask_array_end(&oids);
	rc = buf_check(&oids, err) || ask_run(findings->run->control, sql_session_path, err, "") ||
		guards_shapes(findings->run, buf_text(&oids), &rows, err);
	for (size_t i = 0; i < n && !rc; i++) {
		struct digest shape;
		if (batch[i]->has_shape && guards_shape_of(rows, batch[i]->oid, &shape) &&
			!digest_equal(&shape, &batch[i]->shape))
			differs(findings, batch[i], "its structure is not the one that was planned for");
		rc = check_state(findings, batch[i], err);
	}
	rows_free(rows);
	buf_release(&oids);
	return rc ? -1 : 0;
}

static int check_schemas(struct findings *findings, struct err *err)
{
	const struct run *run = findings->run;
	const struct task *batch[GUARDS_MAX];
	int differing = findings->refused, rc = 0;
	for (size_t i = 0, n = 0; i < run->tasks && !rc; i++) {
		const struct task *task = &run->task[i];
		if (task->state == TASK_WAITING && task->next == 0 && task->oid)
			batch[n++] = task;
		if (n && (n == GUARDS_MAX || i + 1 == run->tasks)) {
			rc = check_batch(findings, batch, n, err);
			n = 0;
		}
	}
	findings_end(findings);
	if (findings->refused > differing)
		findings_add(findings, "note", "schemas were changed since the snapshot",
			"see by whom; plan again from a new one");
	return rc;
}

/* --- the whole --- */

static int check_all(struct findings *findings, struct err *err)
{
	struct run *run = findings->run;
	run->wave = -1;
	if (prepare_bundle(run, true, err) || prepare_control(run, "pgdocket-apply check", err) ||
		prepare_target(run, err) || fitness_target(findings, err))
		return -1;
	if (findings->refused)
		return 0;
	if (ask_run(run->control, sql_check_read_only, err, "") || tasks_build(run, err) ||
		(!findings->unfit &&
			ledger_read(run->control, &run->verified.trust.plan, &run->ledger, err)))
		return -1;
	if (!findings->unfit && (tasks_apply_ledger(run, err) || prepare_check_times(run, err)))
		findings_error(findings, err);
	if (fitness_plan(findings, err))
		return -1;
	/* What may not be read would only look different. */
	if (!findings->unfit)
		return check_schemas(findings, err);
	findings_add(findings, "note", "states and structures are compared when it is fit", NULL);
	return 0;
}

static int check(struct run *run, struct err *err)
{
	struct findings findings = { .run = run, .show = show, .report = BUF_INIT(8u << 20) };
	struct buf out = BUF_INIT(16u << 20);
	int rc = check_all(&findings, err) || buf_check(&findings.report, err);
	int status = findings.refused ? 3 : findings.unfit ? 1 : 0;
	if (run->options.common.json)
		buf_add_format(&out,
			"{\"event\":\"check\",\"fit\":%s,\"exit\":%d,\"left\":%zu,\"findings\":[%s]}\n",
			status ? "false" : "true", status, tasks_left(run), buf_text(&findings.report));
	else
		buf_add_format(&out, "%s%s: %zu schemas are left to do\n", buf_text(&findings.report),
			status ? "not fit" : "fit", tasks_left(run));
	if (!rc)
		rc = cli_print(run->cli, &out, err);
	buf_release(&findings.report);
	buf_release(&out);
	return rc ? -1 : status;
}

int apply_check(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &check_command, check);
}
