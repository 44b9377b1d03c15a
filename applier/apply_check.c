/*
 * `pgdocket-apply verify`: the checks that come before a server is asked, as `run` does them.
 * `pgdocket-apply check`: what run would find wrong, all at once: identity, ledger, privileges,
 * states,
 * structures, tenants that the plan does not cover, locks in the way. Neither changes anything.
 */
#include "applier.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "quote.h"
#include "sql.h"
#include "text.h"

#define SHOWN 20 /* problems of one kind */

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
	int rc = trust_open(run->options.trust, true, &run->trust, err) ||
		verify_bundle(run->file, run->trust, trust_operator(run->trust, (long)getuid()),
			clock_now_us(), &run->verified, err) ||
		verify_runs(&run->verified, run->trust, clock_now_us(), err) ||
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

static const struct option check_table[] = { APPLY_TRUST_OPTION,
	CLI_CONNECTION_OPTIONS(struct apply_options), CLI_COMMON_OPTIONS(struct apply_options), { 0 } };

static const struct option_command check_command = { "check", "FILE",
	"Tells whether the plan could be applied now; changes nothing.", check_table, 1, 1,
	"Exit code 0: fit; 1: not fit; 3: refused, or a schema differs from what was planned for.\n" };

struct check {
	struct run *run; /* its tasks: what the ledger says is left */
	struct buf report;
	int unfit, refused, alike;
};

/* --- problems --- */

static void entry(struct check *c, const char *kind, const char *text, const char *hint)
{
	if (c->run->options.common.json) {
		buf_add_format(
			&c->report, "%s{\"kind\":\"%s\",\"message\":", c->report.len ? "," : "", kind);
		text_json(&c->report, text, strlen(text));
		buf_add_text(&c->report, ",\"hint\":");
		text_json(&c->report, hint, strlen(hint));
		buf_add_char(&c->report, '}');
		return;
	}
	buf_add_format(&c->report, "%-8s ", kind);
	text_safe(&c->report, text, strlen(text));
	if (*hint) {
		buf_add_text(&c->report, "\n         hint: ");
		text_safe(&c->report, hint, strlen(hint));
	}
	buf_add_char(&c->report, '\n');
}

/* An error of one check becomes a line of the report; 0 unless the check itself cannot go on. */
static int problem(struct check *c, struct err *found)
{
	bool refused = err_exit_status(found) == 3;
	*(refused ? &c->refused : &c->unfit) += 1;
	entry(c, refused ? "refused" : "unfit", found->message, found->hint);
	err_clear(found);
	return 0;
}

static void schema_problem(
	struct check *c, const char *reason, const char *schema, const char *what)
{
	struct err found = ERR_INIT;
	int counted = *reason ? ++c->refused : ++c->unfit;
	if (++c->alike > SHOWN || !counted)
		return;
	err_set(&found, ERR_UNFIT, "schema %s: %s", schema, what);
	entry(c, *reason ? "differs" : "unfit", found.message, "");
}

static void alike_end(struct check *c, const char *hint)
{
	char text[64];
	if (c->alike > SHOWN) {
		snprintf(text, sizeof text, "and %d more schemas", c->alike - SHOWN);
		entry(c, "", text, "");
	}
	if (c->alike)
		entry(c, "", "", hint);
	c->alike = 0;
}

/* --- schemas --- */

/* The next schemas that are still to be begun; made: also those that are to be made. */
static size_t next_batch(
	const struct check *c, size_t *from, bool made, const struct task *batch[GUARDS_MAX])
{
	size_t n = 0;
	for (; *from < c->run->tasks && n < GUARDS_MAX; (*from)++) {
		const struct task *task = &c->run->task[*from];
		if (task->state == TASK_WAITING && task->next == 0 && (made || task->schema->oid))
			batch[n++] = task;
	}
	return n;
}

static int check_access(struct check *c, const char *names, const char *oids, struct err *err)
{
	struct rows *rows = NULL;
	if (ask_rows(c->run->control, sql_check_access, &rows, err, "tt", names, oids))
		return -1;
	for (int i = 0; i < rows_count(rows); i++) {
		const char *what = rows_text(rows, i, 1);
		schema_problem(c, text_ends(what, "missing") ? "" : "drift", rows_text(rows, i, 0), what);
	}
	rows_free(rows);
	rows = NULL;
	if (ask_rows(c->run->control, sql_check_holders, &rows, err, "t", oids))
		return -1;
	for (int i = 0; i < rows_count(rows); i++)
		entry(c, "note", rows_text(rows, i, 0), "");
	rows_free(rows);
	return 0;
}

static int check_shapes(
	struct check *c, const struct task *const *batch, size_t n, const char *oids, struct err *err)
{
	struct rows *rows = NULL;
	if (guards_shapes(c->run, oids, &rows, err))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct digest shape;
		if (batch[i]->has_shape && guards_shape_of(rows, batch[i]->oid, &shape) &&
			!digest_equal(&shape, &batch[i]->shape))
			schema_problem(c, "drift", batch[i]->schema->name,
				"its structure is not the one that was planned for");
	}
	rows_free(rows);
	return 0;
}

/*
 * Under the schema's own search_path; a statement of its own, so that a failure is this schema's
 * alone.
 */
static int check_state(struct check *c, const struct task *task, struct err *err)
{
	struct buf path = BUF_INIT(1024);
	struct rows *rows = NULL;
	struct digest state;
	int rc = quote_identifier(&path, task->schema->name, err);
	buf_add_text(&path, ", pg_temp");
	if (!rc)
		rc = ask_run(c->run->control, sql_check_path, err, "t", buf_text(&path));
	buf_release(&path);
	if (rc)
		return rc;
	if (ask_rows(c->run->control, task->class->read_state.text, &rows, err, "")) {
		if (session_lost(c->run->control))
			return -1;
		schema_problem(c, "drift", task->schema->name, err->message);
		err_clear(err);
	} else if (rows_count(rows) != 1 || !ask_digest(rows, 0, 0, &state) ||
		!digest_equal(&state, &task->class->state_before)) {
		schema_problem(c, "drift", task->schema->name,
			"its migration state is not the one that was planned for");
	}
	rows_free(rows);
	return 0;
}

enum pass { PASS_ACCESS, PASS_STATES, PASS_SHAPES, PASS_COUNT };

static int check_batch(
	struct check *c, enum pass pass, const struct task *const *batch, size_t n, struct err *err)
{
	struct buf names = BUF_INIT(1u << 20), oids = BUF_INIT(1u << 16);
	for (size_t i = 0; i < n; i++) {
		ask_array_text(&names, batch[i]->schema->name);
		ask_array_number(&oids, batch[i]->schema->oid);
	}
	ask_array_end(&names);
	ask_array_end(&oids);
	int rc = buf_check(&names, err) || buf_check(&oids, err);
	if (!rc && pass == PASS_ACCESS)
		rc = check_access(c, buf_text(&names), buf_text(&oids), err);
	else if (!rc && pass == PASS_SHAPES)
		rc = check_shapes(c, batch, n, buf_text(&oids), err);
	for (size_t i = 0; pass == PASS_STATES && i < n && !rc; i++)
		rc = check_state(c, batch[i], err);
	buf_release(&names);
	buf_release(&oids);
	return rc;
}

static int check_schemas(struct check *c, struct err *err)
{
	static const char *const hints[PASS_COUNT] = {
		"grant what is missing; where schemas differ, plan again from a new snapshot",
		"see what was migrated since the snapshot; plan again from a new one",
		"see what was changed since the snapshot; plan again from a new one",
	};
	int unfit = c->unfit;
	for (enum pass pass = PASS_ACCESS; pass < PASS_COUNT; pass++) {
		const struct task *batch[GUARDS_MAX];
		size_t from = 0, n;
		while ((n = next_batch(c, &from, pass == PASS_ACCESS, batch)) > 0)
			if (check_batch(c, pass, batch, n, err))
				return -1;
		alike_end(c, hints[pass]);
		if (ask_run(c->run->control, sql_session_path, err, ""))
			return -1;
		/* What may not be read would only look different. */
		if (c->unfit > unfit) {
			entry(c, "note", "states and structures are not compared while privileges are missing",
				"");
			break;
		}
	}
	return 0;
}

/* --- the whole --- */

static int check_uncovered(struct check *c, struct err *err)
{
	struct buf names = BUF_INIT(8192);
	char text[1200];
	size_t count;
	if (prepare_uncovered(c->run, &count, &names, err)) {
		problem(c, err);
	} else if (count) {
		bool refuse = trust_policy(c->run->trust)->uncovered_refuse;
		snprintf(text, sizeof text, "%zu tenants made since the snapshot are not covered: %s",
			count, buf_text(&names));
		c->refused += refuse;
		entry(c, refuse ? "refused" : "note", text, "plan again from a new snapshot to cover them");
	}
	buf_release(&names);
	return 0;
}

static int check_ledger(struct check *c, struct err *err)
{
	struct run *run = c->run;
	if (ledger_require(run->control, err))
		return problem(c, err);
	if (ledger_read(run->control, &run->verified.trust.plan, &run->ledger, err))
		return -1;
	return tasks_apply_ledger(run, err) ? problem(c, err) : 0;
}

static int check_all(struct check *c, struct err *err)
{
	struct run *run = c->run;
	run->wave = -1;
	if (prepare_bundle(run, err) || prepare_control(run, "pgdocket-apply check", err) ||
		prepare_target(run, err) || ask_run(run->control, sql_check_read_only, err, "") ||
		tasks_build(run, err))
		return -1;
	if (prepare_check_target(run, err)) {
		bool other = err->code == ERR_REFUSED;
		problem(c, err);
		if (other)
			return 0;
	}
	if (check_ledger(c, err))
		return -1;
	if (prepare_check_times(run, err))
		problem(c, err);
	if (run->target.superuser)
		entry(
			c, "note", "the role is a superuser", "a role with just the rights it needs is safer");
	return check_uncovered(c, err) || check_schemas(c, err) ? -1 : 0;
}

static int check_print(struct check *c, struct err *err)
{
	struct buf out = BUF_INIT(4u << 20);
	int status = c->refused ? 3 : c->unfit ? 1 : 0;
	int rc = buf_check(&c->report, err);
	if (c->run->options.common.json)
		buf_add_format(&out,
			"{\"event\":\"check\",\"fit\":%s,\"exit\":%d,\"left\":%zu,\"findings\":[%s]}\n",
			status ? "false" : "true", status, tasks_left(c->run), buf_text(&c->report));
	else
		buf_add_format(&out, "%s%s: %zu schemas are left to do\n", buf_text(&c->report),
			status ? "not fit" : "fit", tasks_left(c->run));
	if (!rc)
		rc = cli_print(c->run->cli, &out, err);
	buf_release(&out);
	return rc ? -1 : status;
}

static int check(struct run *run, struct err *err)
{
	struct check c = { .run = run, .report = BUF_INIT(2u << 20) };
	int status = check_all(&c, err) ? -1 : check_print(&c, err);
	buf_release(&c.report);
	return status;
}

int apply_check(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &check_command, check);
}
