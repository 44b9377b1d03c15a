/*
 * `pgdocket-apply run`: everything that must hold before anything is changed, in TRUST.md's and
 * PROTOCOL.md's order; then the waves; then the results go back. How a segment is applied stands in
 * segment.c, in which order in waves.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply_commands.h"
#include "clock.h"
#include "prepare.h"
#include "run.h"
#include "runlock.h"
#include "seen.h"
#include "sql.h"
#include "text.h"
#include "uncovered.h"
#include "workcopy.h"

#define LOCK_WAIT_MS 30000
#define ANSWER_MS 15000

static const struct option run_table[] = {
	{ "trust", 0, OPTION_TEXT, offsetof(struct run_options, trust), "DIR",
		"policy directory (default /etc/pgdocket)", 0, 0 },
	{ "state", 0, OPTION_TEXT, offsetof(struct run_options, state), "DIR",
		"where working copies are kept (default " WORKCOPY_STATE ")", 0, 0 },
	{ "jobs", 'j', OPTION_COUNT, offsetof(struct run_options, jobs), "N",
		"schemas at a time (default 4)", 1, RUN_JOBS_MAX },
	{ "wave", 0, OPTION_TEXT, offsetof(struct run_options, wave), "WAVE",
		"apply this wave alone; those before it must be done", 0, 0 },
	{ "stop-after", 0, OPTION_TEXT, offsetof(struct run_options, stop_after), "WAVE",
		"begin nothing behind this wave", 0, 0 },
	{ "lock-wait", 0, OPTION_DURATION, offsetof(struct run_options, lock_wait_ms), "TIME",
		"wait so long for another run to end (default 30s)", 0, 0 },
	{ "receipt", 0, OPTION_TEXT, offsetof(struct run_options, receipt), "OUT",
		"write the results there and leave FILE as it is", 0, 0 },
	{ "yes", 0, OPTION_FLAG, offsetof(struct run_options, yes), NULL, "ask nothing", 0, 0 },
	CLI_CONNECTION_OPTIONS(struct run_options),
	CLI_COMMON_OPTIONS(struct run_options),
	{ 0 },
};

static const struct option_command run_command = {
	"run",
	"FILE",
	"verifies the plan and applies it, schema by schema",
	run_table,
	1,
	1,
	"Asks twice on a terminal: yes, then the database's name. The same command goes on with "
	"what an earlier run left.\n"
	"The first SIGINT or SIGTERM lets what runs finish, the second cancels it.\n",
};

/* What a run holds beside struct run. */
struct held {
	struct run run;
	struct run_options options;
	struct prepared p;
	struct workcopy *workcopy;
	struct seen seen;
	struct bundle *receipt; /* an earlier run's, to be replaced */
	bool started;           /* records are written: results are to be exported */
};

/* --- before anything is asked of a server --- */

static int check_terminal(const struct run_options *options, struct err *err)
{
	if (options->yes || cli_terminal())
		return 0;
	err_set(err, ERR_USAGE, "there is no terminal to ask on");
	return err_hint(err, "--yes asks nothing");
}

static bool wave_known(const struct document *document, const char *name)
{
	for (size_t i = 0; i < document->waves; i++)
		if (strcmp(document->wave[i].name, name) == 0)
			return true;
	return false;
}

static int check_waves(const struct held *h, struct err *err)
{
	const char *const names[] = { h->options.wave, h->options.stop_after };
	for (size_t i = 0; i < 2; i++) {
		if (!names[i] || wave_known(h->p.verified.document, names[i]))
			continue;
		err_set(err, ERR_USAGE, "the plan has no wave \"%s\"", names[i]);
		return err_hint(err, "pgdocket-apply status lists the plan's waves");
	}
	return 0;
}

/* What stands at --receipt already may only be an earlier run's results of this plan. */
static int check_receipt(struct held *h, struct err *err)
{
	struct digest plan;
	bool same;
	if (!h->options.receipt || access(h->options.receipt, F_OK))
		return 0;
	same = bundle_open(h->options.receipt, &h->receipt, err) == 0 &&
		workcopy_plan(bundle_db(h->receipt), &plan, NULL, err) == 0 &&
		digest_equal(&plan, &h->p.verified.trust.plan);
	if (same)
		return 0;
	err_clear(err);
	err_set(
		err, ERR_USAGE, "%s exists already and holds no results of this plan", h->options.receipt);
	return err_hint(err, "name another file with --receipt");
}

static int verify(struct held *h, struct err *err)
{
	if (prepare_bundle(&h->p, err))
		return -1;
	h->run.trust = h->p.trust;
	h->run.verified = &h->p.verified;
	h->run.document = h->p.verified.document;
	h->run.connector = &h->p.connector;
	return check_waves(h, err) || check_receipt(h, err) ? -1 : 0;
}

/* --- the server --- */

static int name_control(struct held *h, struct err *err)
{
	char name[48];
	const char *const param[] = { name };
	snprintf(name, sizeof name, "pgdocket/%.8s/0", h->run.id);
	return session_run(h->run.control, sql_control_name, 1, param, ANSWER_MS, err);
}

/*
 * Only behind the lock does this session carry a run's name, so that runs that wait are nobody's
 * orphans.
 */
static int connect_control(struct held *h, struct err *err)
{
	char name[48];
	snprintf(name, sizeof name, "pgdocket-apply %.8s", h->run.id);
	if (prepare_connect(&h->p, &h->options.connection, name, err) ||
		target_check(&h->p.target, h->p.verified.document, h->p.trust, err) ||
		ledger_require(h->p.control, err))
		return -1;
	h->run.control = h->p.control;
	stop_install();
	return runlock_take(h->run.control, h->options.lock_wait_ms, stop_requested, err) ||
			name_control(h, err)
		? -1
		: 0;
}

static int read_ledger(struct held *h, struct err *err)
{
	if (ledger_read(h->run.control, &h->p.verified.trust.plan, &h->p.ledger, err) ||
		target_check_times(&h->p.target, &h->p.verified, h->p.trust, h->p.ledger.begun, err))
		return -1;
	return tasks_build(&h->run, err) || tasks_apply_ledger(&h->run, &h->p.ledger, err) ? -1 : 0;
}

static int look_for_uncovered(struct held *h, struct err *err)
{
	struct uncovered uncovered;
	int rc = uncovered_find(
		h->run.control, h->run.document, bundle_db(h->p.verified.bundle), &uncovered, err);
	if (!rc && uncovered.count) {
		if (trust_policy(h->p.trust)->uncovered_refuse) {
			err_refuse(err, "uncovered",
				"%zu tenant%s made since the snapshot, the plan does not cover "
				"%s: %s",
				uncovered.count, uncovered.count == 1 ? " was" : "s were",
				uncovered.count == 1 ? "it" : "them", uncovered.names);
			rc = err_hint(err,
				"plan again from a new snapshot; the policy says "
				"uncovered: refuse");
		} else {
			events_note(&h->run, "note: %zu tenant%s not covered, made since the snapshot: %s",
				uncovered.count, uncovered.count == 1 ? " is" : "s are", uncovered.names);
		}
	}
	free(uncovered.names);
	return rc;
}

static int answered(struct held *h, const char *prompt, const char *expected, struct err *err)
{
	char *line = cli_ask(h->run.cli, prompt, true, err);
	bool right = line && strcmp(line, expected) == 0;
	free(line);
	if (right)
		return 0;
	if (stop_requested()) {
		err_clear(err);
		return err_set(err, ERR_INTERRUPTED, "interrupted, nothing was changed");
	}
	err_set(err, ERR_UNFIT, "not confirmed, nothing was changed");
	return err_hint(err, "type yes, then the database's name; --yes asks nothing");
}

static int ask(struct held *h, struct err *err)
{
	const struct plan_statement *s = &h->p.verified.trust.statement;
	char plan[DIGEST_HEX_SIZE];
	if (h->options.yes)
		return 0;
	digest_hex(&h->p.verified.trust.plan, plan);
	events_note(&h->run,
		"plan %.12s by %s, ticket %s: %lld schemas, %lld statements, %lld destructive; "
		"%zu schemas left",
		plan, h->p.verified.trust.planner, s->ticket, (long long)s->schemas,
		(long long)s->statements, (long long)s->destructive, tasks_left(&h->run));
	events_note(&h->run, "target %s: %s", h->run.document->label, session_describe(h->run.control));
	return answered(h, "Apply it? Type yes:", "yes", err) ||
			answered(h, "Type the database's name:", h->p.target.database, err)
		? -1
		: 0;
}

/* --- the results --- */

static int start_records(struct held *h, struct err *err)
{
	const struct workcopy_source source = {
		.state = h->options.state,
		.verified = &h->p.verified,
		.trust = h->p.trust,
		.operator_name = trust_operator(h->p.trust, (long)getuid()),
		.now_us = clock_now_us(),
	};
	if (workcopy_open(&source, &h->workcopy, err) ||
		seen_read(workcopy_db(h->workcopy), &h->p.verified.trust.plan, &h->seen, err) ||
		recorder_new(workcopy_db(h->workcopy), trust_host_key(h->p.trust),
			&h->p.verified.trust.plan, h->run.id, &h->run.recorder, err) ||
		report_start(&h->run, &h->p.target, err))
		return -1;
	h->started = true;
	for (size_t i = 0; i < h->p.ledger.count; i++) {
		const struct ledger_row *row = &h->p.ledger.row[i];
		if (!seen_done(&h->seen, row->schema, row->segment) && report_reconcile(&h->run, row, err))
			return -1;
	}
	return 0;
}

static int export(struct held *h, struct err *err)
{
	struct buf other = BUF_INIT(8192);
	const char *work = workcopy_path(h->workcopy);
	bool diverted = false;
	int rc;
	if (h->options.receipt) {
		rc = bundle_export(work, h->options.receipt, h->receipt, NULL, &diverted, err);
	} else {
		buf_add_format(&other, "%s.%.8s.results", h->p.file, h->run.id);
		rc = buf_check(&other, err) ||
				bundle_export(
					work, h->p.file, h->p.verified.bundle, buf_text(&other), &diverted, err)
			? -1
			: 0;
	}
	if (!rc && diverted)
		events_note(&h->run,
			"%s was changed meanwhile; the results are in %s: pgdocket merge %s %s", h->p.file,
			buf_text(&other), h->p.file, buf_text(&other));
	if (rc) {
		err_context(err, "the results stay in %s", work);
		if (h->run.changed)
			err->code = ERR_INCOMPLETE;
		err->hint[0] = '\0';
		err_hint(err,
			"make room or mend the cause, and run the same command again: it "
			"writes them back");
	}
	buf_release(&other);
	return rc;
}

/* How the run ended, as an error when something is left. */
static int verdict(struct held *h, struct err *err)
{
	struct run *run = &h->run;
	size_t left = tasks_left(run);
	const struct err *why = run->why.code != ERR_NONE ? &run->why : &run->failure;
	if (left == 0)
		return 0;
	if (why->code == ERR_INTERRUPTED || (why->code != ERR_NONE && !run->changed)) {
		*err = *why;
		return -1;
	}
	if (why->code == ERR_BUG) {
		*err = *why;
		return -1;
	}
	err_set(err, ERR_INCOMPLETE, "%zu of %zu schemas are left%s%s", left, run->tasks,
		why->code == ERR_NONE ? "" : ": ", why->message);
	memcpy(err->sqlstate, why->sqlstate, sizeof err->sqlstate);
	memcpy(err->reason, why->reason, sizeof err->reason);
	if (why->hint[0])
		return err_hint(err, "%s; then run the same command again", why->hint);
	return err_hint(err, "the same command goes on with them");
}

/* Records that cannot be written stop a run, and are its reason. */
static void note_unsound(struct held *h, const struct err *err)
{
	if (h->run.why.code == ERR_NONE)
		h->run.why = *err;
}

static int finish(struct held *h, struct err *err)
{
	struct run *run = &h->run;
	struct err wrong = ERR_INIT;
	bool complete = tasks_left(run) == 0;
	const char *result;
	if (complete && ledger_finish(run->control, &h->p.verified.trust.plan, &wrong)) {
		events_note(
			run, "note: the ledger could not be told that the plan is complete: %s", wrong.message);
		err_clear(&wrong);
	}
	result = complete                      ? "complete"
		: run->why.code == ERR_INTERRUPTED ? "interrupted"
										   : "incomplete";
	if (report_end(run, result, run->why.code ? run->why.message : run->failure.message, &wrong)) {
		err_context(&wrong, "records could not be written to %s", workcopy_path(h->workcopy));
		if (run->changed)
			wrong.code = ERR_INCOMPLETE;
		note_unsound(h, &wrong);
	}
	if (verdict(h, err) == 0 && wrong.code != ERR_NONE)
		*err = wrong;
	err_clear(&wrong);
	if (recorder_sound(run->recorder) && export(h, &wrong)) {
		if (err->code == ERR_NONE)
			*err = wrong;
		else
			events_note(run, "%s", wrong.message);
	}
	events_run_end(run, err_exit_status(err), result);
	return err->code == ERR_NONE ? 0 : -1;
}

/* --- the whole --- */

static void completed_line(struct held *h)
{
	char time[CLOCK_SECONDS_SIZE], last[RUN_ID_SIZE] = "";
	const struct ledger *ledger = &h->p.ledger;
	snprintf(last, sizeof last, "%s",
		ledger->count ? ledger->row[ledger->count - 1].run : h->p.ledger.first_run);
	clock_seconds(
		ledger->done_us ? ledger->done_us : ledger->row[ledger->count - 1].finished_us, time);
	if (h->options.common.json) {
		fprintf(h->run.cli->out, "{\"event\":\"completed\",\"run\":\"%s\",\"at\":\"%s\"}\n", last,
			time);
	} else if (!h->options.common.quiet) {
		fprintf(h->run.cli->out, "nothing to do: completed by run %.8s at %s\n", last, time);
	}
}

/* A finished plan: nothing is sent but reads; the bundle gets the results if it lacks them. */
static int again(struct held *h, struct err *err)
{
	bool lacking = false;
	if (seen_read(bundle_db(h->p.verified.bundle), &h->p.verified.trust.plan, &h->seen, err))
		return -1;
	for (size_t i = 0; i < h->p.ledger.count && !lacking; i++)
		lacking = !seen_done(&h->seen, h->p.ledger.row[i].schema, h->p.ledger.row[i].segment);
	seen_release(&h->seen);
	completed_line(h);
	if (!lacking)
		return 0;
	if (start_records(h, err))
		return -1;
	events_run_start(&h->run);
	return finish(h, err);
}

static void decide_jobs(struct held *h)
{
	size_t left = tasks_left(&h->run);
	h->run.workers = h->options.jobs;
	if (h->run.document->shared_locks && h->run.workers > 1) {
		h->run.workers = 1;
		events_note(&h->run,
			"tenants' programs lock shared relations: schemas are applied "
			"one at a time");
	}
	if ((size_t)h->run.workers > left)
		h->run.workers = left ? (int)left : 1;
}

static int apply(struct held *h, struct err *err)
{
	struct run *run = &h->run;
	if (h->p.target.superuser)
		events_note(run, "note: %s is a superuser; a role with just the rights it needs is safer",
			h->p.target.role);
	decide_jobs(h);
	if (look_for_uncovered(h, err) || ask(h, err) || start_records(h, err))
		return -1;
	if (ledger_begin(run->control, &h->p.verified.trust.plan, run->document->label, run->id, err)) {
		run_stop(run, err);
		err_clear(err);
		return finish(h, err);
	}
	events_run_start(run);
	if (waves_run(run, err)) {
		run_stop(run, err);
		err_clear(err);
	}
	return finish(h, err);
}

static int run_all(struct held *h, struct err *err)
{
	h->p.policy = h->options.trust;
	if (check_terminal(&h->options, err) || plan_statement_nonce(h->run.id, err) ||
		verify(h, err) || connect_control(h, err) || read_ledger(h, err))
		return -1;
	return h->p.ledger.begun && tasks_left(&h->run) == 0 ? again(h, err) : apply(h, err);
}

static void release(struct held *h)
{
	recorder_free(h->run.recorder);
	seen_release(&h->seen);
	workcopy_close(h->workcopy);
	session_close(h->run.reader);
	tasks_release(&h->run);
	bundle_close(h->receipt);
	prepare_release(&h->p);
	free(h);
}

int apply_run(struct cli *cli, int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct held *h = calloc(1, sizeof *h);
	bool done = false;
	int status = 0;
	if (!h) {
		err_nomem(&err);
		return cli_fail(cli, &err);
	}
	h->options =
		(struct run_options){ .trust = "/etc/pgdocket", .jobs = 4, .lock_wait_ms = LOCK_WAIT_MS };
	h->run.cli = h->p.cli = cli;
	h->run.options = &h->options;
	if (cli_options(cli, &run_command, argc, argv, &h->options, &h->p.file, &done, &err) ||
		(!done && run_all(h, &err)))
		status = cli_fail(cli, &err);
	release(h);
	return status;
}
