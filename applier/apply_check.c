/*
 * `pgdocket-apply check`: what run would find wrong, all at once and without changing anything:
 * identity, ledger, privileges, states, structures, tenants that the plan does not cover, locks in
 * the way.
 */
#include <stdlib.h>
#include <string.h>

#include "apply_commands.h"
#include "params.h"
#include "prepare.h"
#include "quote.h"
#include "run.h"
#include "sql.h"
#include "text.h"
#include "uncovered.h"

#define ANSWER_MS 120000
#define BATCH 100
#define SHOWN 20 /* problems of one kind */

struct check_options {
	struct cli_common common;
	struct cli_connection connection;
	const char *trust;
};

static const struct option check_table[] = {
	{ "trust", 0, OPTION_TEXT, offsetof(struct check_options, trust), "DIR",
		"policy directory (default /etc/pgdocket)", 0, 0 },
	CLI_CONNECTION_OPTIONS(struct check_options),
	CLI_COMMON_OPTIONS(struct check_options),
	{ 0 },
};

static const struct option_command check_command = {
	"check",
	"FILE",
	"Tells whether the plan could be applied now; changes nothing.",
	check_table,
	1,
	1,
	"Exit code 0: fit; 1: not fit; 3: refused, or a schema differs from what was planned "
	"for.\n",
};

struct check {
	struct prepared p;
	struct run run; /* its tasks: what the ledger says is left */
	bool json;
	struct buf report;
	int unfit, refused, alike;
};

/* --- problems --- */

static void entry(struct check *c, const char *kind, const char *text, const char *hint)
{
	if (c->json) {
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
	const struct check *c, size_t *from, bool made, const struct task *batch[BATCH])
{
	size_t n = 0;
	for (; *from < c->run.tasks && n < BATCH; (*from)++) {
		const struct task *task = &c->run.task[*from];
		if (task->state == TASK_WAITING && task->next == 0 && (made || task->schema->oid))
			batch[n++] = task;
	}
	return n;
}

static void batch_params(
	const struct task *const *batch, size_t n, struct buf *names, struct buf *oids)
{
	char oid[PARAMS_INT64_SIZE];
	buf_clear(names);
	buf_clear(oids);
	params_array_open(names);
	params_array_open(oids);
	for (size_t i = 0; i < n; i++) {
		params_int64(batch[i]->schema->oid, oid);
		params_array_item(names, batch[i]->schema->name);
		params_array_item(oids, oid);
	}
	params_array_close(names);
	params_array_close(oids);
}

static int check_access(
	struct check *c, const struct buf *names, const struct buf *oids, struct err *err)
{
	const char *const param[] = { buf_text(names), buf_text(oids) };
	struct rows *rows = NULL;
	if (session_rows(c->p.control, sql_check_access, 2, param, ANSWER_MS, &rows, err))
		return -1;
	for (int i = 0; i < rows_count(rows); i++) {
		const char *what = rows_text(rows, i, 1);
		schema_problem(c, text_ends(what, "missing") ? "" : "drift", rows_text(rows, i, 0), what);
	}
	rows_free(rows);
	return 0;
}

static int check_holders(struct check *c, const struct buf *oids, struct err *err)
{
	const char *const param[] = { buf_text(oids) };
	struct rows *rows = NULL;
	if (session_rows(c->p.control, sql_check_holders, 1, param, ANSWER_MS, &rows, err))
		return -1;
	for (int i = 0; i < rows_count(rows); i++)
		entry(c, "note", rows_text(rows, i, 0), "");
	rows_free(rows);
	return 0;
}

static int check_shapes(struct check *c, const struct task *const *batch, size_t n,
	const struct buf *oids, struct err *err)
{
	struct rows *rows = NULL;
	if (guards_shapes(c->p.control, c->run.document, buf_text(oids), &rows, err))
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
	struct err failed = ERR_INIT;
	char *state = NULL, planned[DIGEST_HEX_SIZE];
	int rc = quote_identifier(&path, task->schema->name, err);
	digest_hex(&task->class->state_before, planned);
	buf_add_text(&path, ", pg_temp");
	const char *const param[] = { buf_text(&path) };
	if (!rc)
		rc = session_run(c->p.control, sql_check_path, 1, param, ANSWER_MS, err);
	if (!rc && session_value(c->p.control, task->class->read_state.text, 0, NULL, ANSWER_MS, &state,
				   &failed)) {
		schema_problem(c, "drift", task->schema->name, failed.message);
		rc = session_lost(c->p.control) ? -1 : 0;
		if (rc)
			*err = failed;
	} else if (!rc && (!state || strcmp(state, planned) != 0)) {
		schema_problem(c, "drift", task->schema->name,
			"its migration state is not the one that was planned for");
	}
	free(state);
	buf_release(&path);
	return rc;
}

enum pass { PASS_ACCESS, PASS_STATES, PASS_SHAPES, PASS_COUNT };

static int check_batch(
	struct check *c, enum pass pass, const struct task *const *batch, size_t n, struct err *err)
{
	struct buf names = BUF_INIT(1u << 20), oids = BUF_INIT(1u << 16);
	int rc = 0;
	batch_params(batch, n, &names, &oids);
	if (buf_check(&names, err) || buf_check(&oids, err))
		rc = -1;
	else if (pass == PASS_ACCESS)
		rc = check_access(c, &names, &oids, err) || check_holders(c, &oids, err) ? -1 : 0;
	else if (pass == PASS_SHAPES)
		rc = check_shapes(c, batch, n, &oids, err);
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
	for (enum pass pass = PASS_ACCESS; pass < PASS_COUNT; pass++) {
		const struct task *batch[BATCH];
		size_t from = 0, n;
		while ((n = next_batch(c, &from, pass == PASS_ACCESS, batch)) > 0)
			if (check_batch(c, pass, batch, n, err))
				return -1;
		alike_end(c, hints[pass]);
		if (session_run(c->p.control, sql_session_path, 0, NULL, ANSWER_MS, err))
			return -1;
	}
	return 0;
}

/* --- the whole --- */

static int check_uncovered(struct check *c, struct err *err)
{
	struct uncovered uncovered;
	char text[1200];
	if (uncovered_find(
			c->p.control, c->run.document, bundle_db(c->p.verified.bundle), &uncovered, err))
		return problem(c, err);
	if (uncovered.count) {
		bool refuse = trust_policy(c->p.trust)->uncovered_refuse;
		snprintf(text, sizeof text, "%zu tenants made since the snapshot are not covered: %s",
			uncovered.count, uncovered.names);
		c->refused += refuse;
		entry(c, refuse ? "refused" : "note", text, "plan again from a new snapshot to cover them");
	}
	free(uncovered.names);
	return 0;
}

static int check_ledger(struct check *c, struct err *err)
{
	if (ledger_require(c->p.control, err))
		return problem(c, err);
	if (ledger_read(c->p.control, &c->p.verified.trust.plan, &c->p.ledger, err))
		return -1;
	return tasks_apply_ledger(&c->run, &c->p.ledger, err) ? problem(c, err) : 0;
}

static int check_all(struct check *c, const struct check_options *options, struct err *err)
{
	if (prepare_bundle(&c->p, err) ||
		prepare_connect(&c->p, &options->connection, "pgdocket-apply check", err) ||
		session_run(c->p.control, sql_check_read_only, 0, NULL, ANSWER_MS, err))
		return -1;
	c->run.document = c->p.verified.document;
	c->run.wave = -1;
	if (tasks_build(&c->run, err))
		return -1;
	if (target_check(&c->p.target, c->run.document, c->p.trust, err)) {
		bool other = err->code == ERR_REFUSED;
		problem(c, err);
		if (other)
			return 0;
	}
	if (check_ledger(c, err))
		return -1;
	if (target_check_times(&c->p.target, &c->p.verified, c->p.trust, c->p.ledger.begun, err))
		problem(c, err);
	if (c->p.target.superuser)
		entry(
			c, "note", "the role is a superuser", "a role with just the rights it needs is safer");
	return check_uncovered(c, err) || check_schemas(c, err) ? -1 : 0;
}

static int check_print(struct check *c, struct err *err)
{
	struct buf out = BUF_INIT(4u << 20);
	int status = c->refused ? 3 : c->unfit ? 1 : 0;
	int rc = buf_check(&c->report, err);
	if (c->json)
		buf_add_format(&out,
			"{\"event\":\"check\",\"fit\":%s,\"exit\":%d,\"left\":%zu,"
			"\"findings\":[%s]}\n",
			status ? "false" : "true", status, tasks_left(&c->run), buf_text(&c->report));
	else
		buf_add_format(&out, "%s%s: %zu schemas are left to do\n", buf_text(&c->report),
			status ? "not fit" : "fit", tasks_left(&c->run));
	if (!rc)
		rc = cli_print(c->p.cli, &out, err);
	buf_release(&out);
	return rc ? -1 : status;
}

int apply_check(struct cli *cli, int argc, char **argv)
{
	struct check_options options = { .trust = "/etc/pgdocket" };
	struct check *c = calloc(1, sizeof *c);
	struct err err = ERR_INIT;
	bool done = false;
	int status = 0;
	if (!c) {
		err_nomem(&err);
		return cli_fail(cli, &err);
	}
	buf_init(&c->report, 2u << 20);
	c->p.cli = cli;
	if (cli_options(cli, &check_command, argc, argv, &options, &c->p.file, &done, &err)) {
		status = cli_fail(cli, &err);
	} else if (!done) {
		c->p.policy = options.trust;
		c->json = options.common.json;
		if (check_all(c, &options, &err) || (status = check_print(c, &err)) < 0)
			status = cli_fail(cli, &err);
	}
	tasks_release(&c->run);
	prepare_release(&c->p);
	buf_release(&c->report);
	free(c);
	return status;
}
