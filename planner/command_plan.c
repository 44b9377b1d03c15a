/*
 * `pgdocket plan`: builds the plan from a bundle's snapshot and puts it into the bundle, or into a
 * new one. Everything is decided by planner/plan/; this file reads options, guards what is there
 * already, and tells what came out.
 */
#include "commands.h"

#include <inttypes.h>
#include <string.h>
#include "bundle.h"
#include "clock.h"
#include "plan.h"
#include "sql.h"
#include "text.h"

#define DAY_MS (24ll * 3600 * 1000)
#define OUTPUT_MAX (4u << 20)

struct command_plan {
	struct cli_common common;
	const char *scope, *to, *revert_to, *not_before, *ticket, *output, *config;
	struct option_list schemas, excludes;
	int revert;
	int64_t expires_ms;
	bool skip_unfit, replace;
};

#define AT(member) offsetof(struct command_plan, member)
static const struct option options[] = {
	{ "scope", 0, OPTION_TEXT, AT(scope), "SCOPE", "shared, tenant or all (default)", 0, 0 },
	{ "schema", 0, OPTION_LIST, AT(schemas), "GLOB", "plan only schemas of this name (* and ?)",
	  0, 0 },
	{ "exclude", 0, OPTION_LIST, AT(excludes), "GLOB", "leave schemas of this name out", 0, 0 },
	{ "to", 0, OPTION_TEXT, AT(to), "VERSION", "up to this migration, not further", 0, 0 },
	{ "revert", 0, OPTION_COUNT, AT(revert), "N",
	  "revert the N newest migrations that any selected schema has", 1, 1000000 },
	{ "revert-to", 0, OPTION_TEXT, AT(revert_to), "VERSION",
	  "revert everything newer than VERSION (none: everything)", 0, 0 },
	{ "skip-unfit", 0, OPTION_FLAG, AT(skip_unfit), NULL,
	  "leave out classes that cannot be planned, plan the rest", 0, 0 },
	{ "expires", 0, OPTION_DURATION, AT(expires_ms), "TIME",
	  "how long the plan may be started (default 7d)", 0, 0 },
	{ "not-before", 0, OPTION_TEXT, AT(not_before), "TIME",
	  "not to be started earlier: 2026-11-22T07:30:00Z", 0, 0 },
	{ "ticket", 0, OPTION_TEXT, AT(ticket), "TEXT", "the change's ticket; signed with the plan",
	  0, 0 },
	{ "replace", 0, OPTION_FLAG, AT(replace), NULL,
	  "drop the bundle's plan and its signatures, if nothing of it ran", 0, 0 },
	{ "output", 'o', OPTION_TEXT, AT(output), "NEW",
	  "write the plan to a new bundle, leave FILE alone", 0, 0 },
	{ "config", 0, OPTION_TEXT, AT(config), "FILE",
	  "configuration (default ./pgdocket.conf, else the bundle's)", 0, 0 },
	CLI_COMMON_OPTIONS(struct command_plan),
	{ NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0 },
};

static const struct option_command command = {
	"plan",
	"FILE",
	"builds the plan from the snapshot in FILE: what will run in which schemas, in which order",
	options,
	1,
	1,
	"With nothing pending it says so, exits 0 and leaves FILE as it is. If no plan can be "
	"made, every reason\n"
	"is printed and the exit code is 1.",
};

static int read_scope(const char *word, enum sql_scope *out, struct err *err)
{
	static const struct {
		const char *word;
		enum sql_scope scope;
	} scopes[] = {
		{ "all", SQL_SCOPE_ALL },
		{ "shared", SQL_SCOPE_SHARED },
		{ "tenant", SQL_SCOPE_TENANT },
	};

	for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
		if (word && strcmp(word, scopes[i].word) != 0)
			continue;
		*out = scopes[i].scope;
		return 0;
	}
	err_set(err, ERR_USAGE, "--scope takes shared, tenant or all, not \"%s\"", word);
	return err_hint(err, "leave it out for all");
}

static int read_terms(const struct command_plan *values, struct plan_terms *terms, struct err *err)
{
	terms->created_us = clock_now_us() / 1000000 * 1000000;
	terms->not_before_us = terms->created_us;
	terms->ticket = values->ticket;
	if (values->not_before && !clock_parse(values->not_before, &terms->not_before_us)) {
		err_set(err, ERR_USAGE, "--not-before: \"%s\" is no time", values->not_before);
		return err_hint(err, "write it in UTC, like 2026-11-22T07:30:00Z");
	}
	terms->not_before_us = terms->not_before_us / 1000000 * 1000000;
	terms->expires_us = terms->created_us + values->expires_ms * 1000 / 1000000 * 1000000;
	if (values->expires_ms >= 1000 && terms->expires_us > terms->not_before_us)
		return 0;
	err_set(err, ERR_USAGE, "the plan would expire before it may be started");
	return err_hint(err, "--expires counts from now: make it longer, or --not-before earlier");
}

/* What stands in the bundle already decides whether a plan may be put there. */
static int check_present(const struct command_plan *values, struct db *db, const char *path,
			 struct err *err)
{
	int64_t plans, runs;

	if (db_value_int64(db, sql_count_plans, &plans, err) ||
	    db_value_int64(db, sql_count_runs, &runs, err))
		return -1;
	if (runs) {
		err_set(err, ERR_PLAN,
			"%s holds the results of a run, and its snapshot is older than they are",
			path);
		return err_hint(
			err, "take a new snapshot and plan from that: `pgdocket snapshot -o NEW`");
	}
	if (plans && !values->replace && !values->output) {
		err_set(err, ERR_PLAN, "%s holds a plan already", path);
		return err_hint(err, "--replace drops it with its signatures; -o NEW writes the "
				     "new plan to a new bundle");
	}
	return 0;
}

static void print_problem(struct cli *cli, const struct plan_problem *problem, struct buf *line)
{
	buf_clear(line);
	if (problem->file && problem->line > 0)
		buf_add_format(line, "%s:%d: ", problem->file, problem->line);
	else if (problem->file)
		buf_add_format(line, "%s: ", problem->file);
	buf_add_text(line, problem->message);
	if (problem->who)
		buf_add_format(line, " [%s]", problem->who);
	if (cli->json) {
		struct buf json = BUF_INIT(OUTPUT_MAX);

		buf_add_text(&json, "{\"event\":\"problem\",\"rule\":");
		text_json(&json, problem->rule, strlen(problem->rule));
		buf_add_text(&json, ",\"message\":");
		text_json(&json, buf_text(line), line->len);
		buf_add_text(&json, ",\"hint\":");
		text_json(&json, problem->hint ? problem->hint : "",
			  problem->hint ? strlen(problem->hint) : 0);
		buf_add_text(&json, "}");
		fprintf(cli->talk, "%s\n", buf_text(&json));
		buf_release(&json);
	} else {
		struct buf safe = BUF_INIT(OUTPUT_MAX);

		text_safe(&safe, buf_text(line), line->len);
		fprintf(cli->talk, "error: %s (%s)\n", buf_text(&safe), problem->rule);
		buf_clear(&safe);
		if (problem->hint)
			text_safe(&safe, problem->hint, strlen(problem->hint));
		if (safe.len)
			fprintf(cli->talk, "hint: %s\n", buf_text(&safe));
		buf_release(&safe);
	}
}

static int tell_problems(struct cli *cli, const struct plan *plan, struct err *err)
{
	struct buf line = BUF_INIT(OUTPUT_MAX);

	for (size_t i = 0; i < plan->problems; i++)
		print_problem(cli, &plan->problem[i], &line);
	buf_release(&line);
	if (plan->problems_unsaid)
		err_set(err, ERR_PLAN,
			"no plan was made: %zu problems, the first %zu are named above",
			plan->problems + plan->problems_unsaid, plan->problems);
	else
		err_set(err, ERR_PLAN, "no plan was made: %zu problem%s", plan->problems,
			plan->problems == 1 ? "" : "s");
	return err_hint(err,
			"mend the migrations, or leave schemas out: --exclude GLOB, --skip-unfit");
}

static int tell_nothing(struct cli *cli, const struct plan *plan, struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	bool reverts = plan->request->revert || plan->request->revert_to;
	int result;

	if (cli->json)
		buf_add_format(&out, "{\"plan\":null,\"selected\":%zu,\"pending\":0}\n",
			       plan->selected_schemas);
	else
		buf_add_format(
			&out,
			"nothing to do: %s in any of %zu selected schema%s; no plan was made\n",
			reverts ? "nothing can be reverted" : "no migration is pending",
			plan->selected_schemas,
			plan->selected_schemas == 1 ? "" : "s");
	result = cli_print(cli, &out, err);
	buf_release(&out);
	return result;
}

static size_t segment_migrations(const struct doc_program *program)
{
	size_t count = 0;

	for (size_t i = 0; i < program->segments; i++)
		for (size_t m = 0; m < program->segment[i].migrations; m++)
			count += doc_migration_begins(program, i, m);
	return count;
}

static void count_does(const struct doc_program *program, size_t count[3])
{
	for (size_t i = 0; i < program->segments; i++)
		for (size_t s = 0; s < program->segment[i].statements; s++)
			count[program->segment[i].statement[s].does]++;
}

static void summary_classes(const struct document *document, struct buf *out)
{
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];
		const struct doc_program *program = &document->program[class->program];
		const char *first = "";
		size_t does[3] = { 0, 0, 0 };

		for (size_t s = document->schemas; s > 0; s--)
			if (document->schema[s - 1].class_index == (int)i)
				first = document->schema[s - 1].name;
		count_does(program, does);
		buf_add_format(out, "  class %d: ", class->number);
		text_safe(out, first, strlen(first));
		if (class->schemas > 1)
			buf_add_format(out, " and %zu alike", class->schemas - 1);
		buf_add_format(out, "%s: %zu migration%s, %zu statement%s",
			       class->has_shape_before ? "" : " (to be made)",
			       segment_migrations(program),
			       segment_migrations(program) == 1 ? "" : "s", does[DOC_RUN],
			       does[DOC_RUN] == 1 ? "" : "s");
		if (does[DOC_FILTERED])
			buf_add_format(out, ", %zu filtered", does[DOC_FILTERED]);
		buf_add_char(out, '\n');
	}
}

static void count_findings(const struct document *document, size_t count[3])
{
	for (size_t i = 0; i < document->findings; i++)
		count[document->finding[i].severity]++;
}

static void summary_text(const struct plan *plan, const struct plan_statement *statement,
			 const struct digest *id, const char *path, struct buf *out)
{
	const struct document *document = plan->document;
	char hex[DIGEST_HEX_SIZE], expires[CLOCK_SECONDS_SIZE];
	size_t findings[3] = { 0, 0, 0 };

	digest_hex(id, hex);
	clock_seconds(statement->expires_us, expires);
	count_findings(document, findings);
	buf_add_format(out, "plan %.12s for ", hex);
	text_safe(out, document->label, strlen(document->label));
	buf_add_format(out, ": %zu schema%s in %zu class%s, %zu program%s\n", document->schemas,
		       document->schemas == 1 ? "" : "s", document->classes,
		       document->classes == 1 ? "" : "es", document->programs,
		       document->programs == 1 ? "" : "s");
	summary_classes(document, out);
	buf_add_format(
		out, "statements %" PRId64 ", destructive %" PRId64 ", filtered in programs %zu\n",
		statement->statements, statement->destructive, plan->filtered);
	buf_add_format(out, "findings: %zu danger, %zu warning, %zu info; left out: %zu schema%s\n",
		       findings[DOC_DANGER], findings[DOC_WARNING], findings[DOC_INFO],
		       document->left_outs, document->left_outs == 1 ? "" : "s");
	if (document->shared_locks)
		buf_add_text(out, "tenants lock shared tables: what does runs in one tenant at a time\n");
	buf_add_format(out,
		       "expires %s\nnext: pgdocket show %s, then pgdocket sign %s --key KEY "
		       "--principal WHO\n",
		       expires, path, path);
}

static void summary_json(const struct plan *plan, const struct plan_statement *statement,
			 const struct digest *id, struct buf *out)
{
	const struct document *document = plan->document;
	char hex[DIGEST_HEX_SIZE], expires[CLOCK_SECONDS_SIZE];
	size_t findings[3] = { 0, 0, 0 };

	digest_hex(id, hex);
	clock_seconds(statement->expires_us, expires);
	count_findings(document, findings);
	buf_add_format(out, "{\"plan\":\"%s\",\"label\":", hex);
	text_json(out, document->label, strlen(document->label));
	buf_add_format(out, ",\"schemas\":%zu,\"programs\":%zu,\"classes\":[", document->schemas,
		       document->programs);
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];
		size_t does[3] = { 0, 0, 0 };

		count_does(&document->program[class->program], does);
		buf_add_format(out,
			       "%s{\"number\":%d,\"scope\":\"%s\",\"schemas\":%zu,\"migrations\":%"
			       "zu,\"statements\":%zu,\"filtered\":%zu}",
			       i ? "," : "", class->number, class->shared ? "shared" : "tenant",
			       class->schemas,
			       segment_migrations(&document->program[class->program]),
			       does[DOC_RUN], does[DOC_FILTERED]);
	}
	buf_add_format(out,
		       "],\"statements\":%" PRId64 ",\"destructive\":%" PRId64
		       ",\"findings\":{\"danger\":%zu,\"warning\":%zu,"
		       "\"info\":%zu},\"left_out\":%zu,\"shared_locks\":%s,\"expires\":\"%s\"}\n",
		       statement->statements, statement->destructive, findings[DOC_DANGER],
		       findings[DOC_WARNING], findings[DOC_INFO], document->left_outs,
		       document->shared_locks ? "true" : "false", expires);
}

static int store(struct cli *cli, const struct command_plan *values, struct bundle *bundle,
		 struct plan *plan, const struct plan_terms *terms, struct err *err)
{
	const char *path = values->output ? values->output : bundle_path(bundle);
	struct bundle_edit *edit = NULL;
	struct buf out = BUF_INIT(OUTPUT_MAX);
	struct plan_statement statement;
	struct digest id;
	int result = -1;

	if (bundle_edit(path, bundle, false, &edit, err) ||
	    plan_store(plan, bundle_edit_db(edit), terms, &statement, &id, err))
		goto out;
	result = bundle_edit_commit(edit, err);
	edit = NULL;
	if (result)
		goto out;
	if (cli->json)
		summary_json(plan, &statement, &id, &out);
	else
		summary_text(plan, &statement, &id, path, &out);
	result = cli_print(cli, &out, err);
out:
	bundle_edit_abort(edit);
	buf_release(&out);
	return result;
}

/* Whoever has no configuration here plans with the bundle's copies, and is told so. */
static int tell_source(struct cli *cli, const struct command_plan *values,
		       const struct project *project, struct err *err)
{
	const char *from = project_describe(project, err);
	struct buf out = BUF_INIT(OUTPUT_MAX);

	if (!from)
		return -1;
	if (project->own_conf || values->common.quiet || cli->json)
		return 0;
	text_safe(&out, from, strlen(from));
	fprintf(cli->talk, "%s\n", buf_text(&out));
	buf_release(&out);
	return 0;
}

static int make(struct cli *cli, const struct command_plan *values, struct bundle *bundle,
		const struct plan_inputs *inputs, enum sql_scope scope,
		const struct plan_terms *terms, struct err *err)
{
	struct plan_request request = {
		.conf = inputs->project.conf,
		.source = &inputs->project.source,
		.set = inputs->set,
		.facts = &inputs->facts,
		.scope = scope,
		.schemas = { values->schemas.count,
			     (const char **)(uintptr_t)values->schemas.items },
		.excludes = { values->excludes.count,
			      (const char **)(uintptr_t)values->excludes.items },
		.to = values->to,
		.revert_to = values->revert_to,
		.revert = values->revert,
		.skip_unfit = values->skip_unfit
	};
	struct plan *plan = NULL;
	int result = -1;

	if (tell_source(cli, values, &inputs->project, err) || plan_make(&request, &plan, err))
		return -1;
	if (plan->problems)
		result = tell_problems(cli, plan, err);
	else if (!plan->pending_schemas)
		result = tell_nothing(cli, plan, err);
	else
		result = store(cli, values, bundle, plan, terms, err);
	plan_free(plan);
	return result;
}

static int run(struct cli *cli, const struct command_plan *values, const char *path,
	       struct err *err)
{
	struct bundle *bundle = NULL;
	struct plan_inputs inputs = { .set = NULL };
	struct plan_terms terms;
	enum sql_scope scope = SQL_SCOPE_ALL;
	int result = -1;

	if (read_scope(values->scope, &scope, err) || read_terms(values, &terms, err) ||
	    bundle_open(path, &bundle, err) ||
	    check_present(values, bundle_db(bundle), path, err) ||
	    plan_inputs_load(bundle_db(bundle), values->config, &inputs, err))
		goto out;
	result = make(cli, values, bundle, &inputs, scope, &terms, err);
out:
	if (inputs.set)
		plan_inputs_release(&inputs);
	bundle_close(bundle);
	return result;
}

int command_plan(struct cli *cli, int argc, char **argv)
{
	struct command_plan values = { .expires_ms = 7 * DAY_MS };
	struct err err = ERR_INIT;
	const char *path = NULL;
	bool done = false;

	if (cli_options(cli, &command, argc, argv, &values, &path, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	return run(cli, &values, path, &err) ? cli_fail(cli, &err) : 0;
}
