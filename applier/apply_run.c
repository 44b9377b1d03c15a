/*
 * `pgdocket-apply run`: everything that must hold before anything is changed, in TRUST.md's and
 * PROTOCOL.md's order; then the waves; then the results go back. How a segment is applied stands in
 * segment.c, in which order in waves.c.
 */
#include "applier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "sql.h"

static const struct option run_table[] = {
	APPLY_TRUST_OPTION,
	APPLY_STATE_OPTION,
	APPLY_JOBS_OPTION,
	{ "wave", 0, OPTION_TEXT, offsetof(struct apply_options, wave), "WAVE",
		"apply this wave alone; those before it must be done", 0, 0 },
	{ "stop-after", 0, OPTION_TEXT, offsetof(struct apply_options, stop_after), "WAVE",
		"begin nothing behind this wave", 0, 0 },
	{ "lock-wait", 0, OPTION_DURATION, offsetof(struct apply_options, lock_wait_ms), "TIME",
		"wait so long for another run to end (default 30s)", 0, 0 },
	{ "receipt", 0, OPTION_TEXT, offsetof(struct apply_options, receipt), "OUT",
		"write the results there and leave FILE as it is", 0, 0 },
	{ "yes", 0, OPTION_FLAG, offsetof(struct apply_options, yes), NULL, "ask nothing", 0, 0 },
	CLI_CONNECTION_OPTIONS(struct apply_options),
	CLI_COMMON_OPTIONS(struct apply_options),
	{ 0 },
};

static const struct option_command run_command = { "run", "FILE",
	"verifies the plan and applies it, schema by schema", run_table, 1, 1,
	"Asks twice on a terminal: yes, then the database's name. The same command goes on with "
	"what an earlier run left.\n"
	"The first SIGINT or SIGTERM lets what runs finish, the second cancels it.\n" };

/* --- before anything is asked of a server --- */

static int check_wave(const struct run *run, const char *name, struct err *err)
{
	if (!name)
		return 0;
	for (size_t i = 0; i < run->document->waves; i++)
		if (strcmp(run->document->wave[i].name, name) == 0)
			return 0;
	return err_set_hint(err, ERR_USAGE, "pgdocket-apply status lists the plan's waves",
		"the plan has no wave \"%s\"", name);
}

/* What stands at --receipt already may only be an earlier run's results of this plan. */
static int check_receipt(struct run *run, struct err *err)
{
	if (!run->options.receipt || access(run->options.receipt, F_OK) ||
		(bundle_open(run->options.receipt, &run->receipt, err) == 0 &&
			workcopy_same_plan(run, bundle_db(run->receipt), err)))
		return 0;
	err_clear(err);
	return err_set_hint(err, ERR_USAGE, "name another file with --receipt",
		"%s exists already and holds no results of this plan", run->options.receipt);
}

/* --- the server --- */

/* Schemas that differ fail when their turn comes, and no others with them. */
static void tell(struct findings *findings, const char *kind, const char *text, const char *hint)
{
	struct err found = ERR_INIT, other = findings->worst;
	if (strcmp(kind, "info") == 0 || strcmp(kind, "drift") == 0)
		return;
	if (strcmp(kind, "note") == 0) {
		events_note(findings->run, "note: %s%s%s", text, hint ? "; " : "", hint ? hint : "");
		return;
	}
	if (strcmp(kind, "unfit") == 0)
		err_set(&found, ERR_UNFIT, "%s", text);
	else
		err_refuse(&found, kind, "%s", text);
	err_hint(&found, "%s", hint && strlen(hint) < sizeof found.hint ? hint
		: "pgdocket-apply check tells all of it");
	if (other.code == ERR_NONE || (other.code == ERR_UNFIT && found.code == ERR_REFUSED)) {
		findings->worst = found;
		found = other;
	}
	if (found.code != ERR_NONE)
		events_note(findings->run, "also: %s; %s", found.message, found.hint);
}

static int require(
	struct run *run, int (*fitness)(struct findings *findings, struct err *err), struct err *err)
{
	struct findings findings = { .run = run, .show = tell };
	if (fitness(&findings, err))
		return -1;
	*err = findings.worst;
	return err->code == ERR_NONE ? 0 : -1;
}

/*
 * Only behind the lock does this session carry a run's name, so that runs that wait are nobody's
 * orphans.
 */
static int connect_control(struct run *run, struct err *err)
{
	char name[48];
	snprintf(name, sizeof name, "pgdocket-apply %.8s", run->id);
	if (prepare_control(run, name, err) || prepare_target(run, err) ||
		require(run, fitness_target, err))
		return -1;
	waves_catch_signals();
	snprintf(name, sizeof name, "pgdocket/%.8s/0", run->id);
	return ledger_lock(run->control, run->options.lock_wait_ms, err) ||
			ask_run(run->control, sql_control_name, err, "t", name)
		? -1
		: 0;
}

static int answered(struct run *run, const char *prompt, const char *expected, struct err *err)
{
	char *line = cli_ask(run->cli, prompt, true, err);
	bool right = line && strcmp(line, expected) == 0;
	free(line);
	if (right)
		return 0;
	if (waves_interrupted()) {
		err_clear(err);
		return err_set(err, ERR_INTERRUPTED, "interrupted, nothing was changed");
	}
	return err_set_hint(err, ERR_UNFIT, "type yes, then the database's name; --yes asks nothing",
		"not confirmed, nothing was changed");
}

static int confirm(struct run *run, struct err *err)
{
	const struct plan_statement *s = &run->verified.trust.statement;
	char plan[DIGEST_HEX_SIZE];
	if (run->options.yes)
		return 0;
	digest_hex(&run->verified.trust.plan, plan);
	events_note(run,
		"plan %.12s by %s, ticket %s: %lld schemas, %lld statements, %lld destructive; "
		"%zu schemas left",
		plan, run->verified.trust.planner, s->ticket, (long long)s->schemas,
		(long long)s->statements, (long long)s->destructive, tasks_left(run));
	events_note(run, "target %s: %s", run->document->label, session_describe(run->control));
	return answered(run, "Apply it? Type yes:", "yes", err) ||
			answered(run, "Type the database's name:", run->target.database, err)
		? -1
		: 0;
}

/* --- the results --- */

static int start_records(struct run *run, struct err *err)
{
	if (workcopy_open(run, &run->workcopy, err) ||
		seen_read(run, workcopy_db(run->workcopy), err) || seen_check(run, err) ||
		recorder_new(workcopy_db(run->workcopy), run->id, &run->verified.trust.plan,
			trust_host_key(run->trust), &run->recorder, err) ||
		events_begin(run, err))
		return -1;
	for (size_t i = 0; i < run->ledger.count; i++) {
		const struct ledger_row *row = &run->ledger.row[i];
		if (!seen_done(run, row) && events_reconcile(run, row, err))
			return -1;
	}
	return 0;
}

static int export(struct run *run, struct err *err)
{
	struct buf other = BUF_INIT(8192);
	const char *work = workcopy_path(run->workcopy), *out = run->options.receipt;
	bool diverted = false;
	buf_add_format(&other, "%s.%.8s.results", run->file, run->id);
	int rc = buf_check(&other, err) ||
		bundle_export(work, out ? out : run->file, out ? run->receipt : run->verified.bundle,
			out ? NULL : buf_text(&other), &diverted, err);
	if (!rc && diverted)
		events_note(run,
			"%s was changed meanwhile; the results are in %s: the same command once more "
			"brings both together in %s",
			run->file, buf_text(&other), run->file);
	if (rc) {
		err_context(err, "the results stay in %s", work);
		if (run->changed)
			err->code = ERR_INCOMPLETE;
		err->hint[0] = '\0';
		err_hint(err,
			"make room or mend the cause, and run the same command again: it writes them back");
	}
	buf_release(&other);
	return rc;
}

/* How the run ended, as an error when something is left. */
static int verdict(const struct run *run, struct err *err)
{
	size_t left = tasks_left(run);
	const struct err *why = run->why.code != ERR_NONE ? &run->why : &run->failure;
	if (left == 0)
		return 0;
	if (why->code == ERR_INTERRUPTED || why->code == ERR_BUG ||
		(why->code != ERR_NONE && !run->changed)) {
		*err = *why;
		return -1;
	}
	err_set(err, ERR_INCOMPLETE, "%zu of %zu schemas are left%s%s", left, run->tasks,
		why->code == ERR_NONE ? "" : ": ", why->message);
	memcpy(err->sqlstate, why->sqlstate, sizeof err->sqlstate);
	memcpy(err->reason, why->reason, sizeof err->reason);
	if (strcmp(why->reason, "drift") == 0)
		return err_hint(err, "%s", why->hint);
	if (why->hint[0])
		return err_hint(err, "%s; then run the same command again", why->hint);
	if (run->options.stop_after)
		return err_hint(err, "stopped behind wave %s, as asked: without --stop-after it goes on",
			run->options.stop_after);
	return err_hint(err, "the same command goes on with them");
}

static int finish(struct run *run, struct err *err)
{
	struct err wrong = ERR_INIT;
	const char *result = tasks_left(run) == 0 ? "complete"
		: run->why.code == ERR_INTERRUPTED    ? "interrupted"
											  : "incomplete";
	if (tasks_left(run) == 0 &&
		ask_run(run->control, sql_ledger_done, &wrong, "d", &run->verified.trust.plan)) {
		events_note(
			run, "note: the ledger could not be told that the plan is complete: %s", wrong.message);
		err_clear(&wrong);
	}
	int unwritten = events_end(run, result, &wrong);
	if (unwritten) {
		/* Records that cannot be written stop a run, and are its reason. */
		err_context(&wrong, "records could not be written to %s", workcopy_path(run->workcopy));
		if (run->changed)
			wrong.code = ERR_INCOMPLETE;
		if (run->why.code == ERR_NONE)
			run->why = wrong;
	}
	if (verdict(run, err) == 0 && unwritten)
		*err = wrong;
	err_clear(&wrong);
	if (recorder_sound(run->recorder) && export(run, &wrong)) {
		if (err->code == ERR_NONE)
			*err = wrong;
		else
			events_note(run, "%s", wrong.message);
	}
	events_run_end(run, err_exit_status(err), result);
	return err->code == ERR_NONE ? 0 : -1;
}

/* --- the whole --- */

static void completed_line(const struct run *run)
{
	const struct ledger *ledger = &run->ledger;
	const struct ledger_row *last = ledger->row;
	for (size_t i = 1; i < ledger->count; i++)
		if (ledger->row[i].finished_us > last->finished_us)
			last = &ledger->row[i];
	const char *id = ledger->count ? last->run : ledger->first_run;
	char time[CLOCK_SECONDS_SIZE];
	clock_seconds(ledger->done_us || !ledger->count ? ledger->done_us : last->finished_us, time);
	if (run->options.common.json)
		fprintf(
			run->cli->out, "{\"event\":\"completed\",\"run\":\"%s\",\"at\":\"%s\"}\n", id, time);
	else if (!run->options.common.quiet)
		fprintf(run->cli->out, "nothing to do: completed by run %.8s at %s\n", id, time);
}

/* A finished plan: nothing is sent but reads; the bundle gets the results if it lacks them. */
static int again(struct run *run, struct err *err)
{
	bool lacking = false;
	if (seen_read(run, bundle_db(run->verified.bundle), err))
		return -1;
	for (size_t i = 0; i < run->ledger.count && !lacking; i++)
		lacking = !seen_done(run, &run->ledger.row[i]);
	completed_line(run);
	if (!lacking)
		return 0;
	return start_records(run, err) ? -1 : finish(run, err);
}

static int apply(struct run *run, struct err *err)
{
	size_t left = tasks_left(run);
	run->workers = left < (size_t)run->options.jobs ? (int)left + !left : run->options.jobs;
	if (require(run, fitness_plan, err) || confirm(run, err) || start_records(run, err))
		return -1;
	if (ask_run(run->control, sql_ledger_begin, err, "dtt", &run->verified.trust.plan,
			run->document->label, run->id) ||
		waves_run(run, err)) {
		waves_stop(run, err);
		err_clear(err);
	}
	return finish(run, err);
}

static int run_plan(struct run *run, struct err *err)
{
	if (!run->options.yes && !cli_terminal())
		return err_set_hint(err, ERR_USAGE, "--yes asks nothing", "there is no terminal to ask on");
	if (plan_statement_nonce(run->id, err) || prepare_bundle(run, true, err) ||
		check_wave(run, run->options.wave, err) ||
		check_wave(run, run->options.stop_after, err) || check_receipt(run, err) ||
		connect_control(run, err) ||
		ledger_read(run->control, &run->verified.trust.plan, &run->ledger, err) ||
		prepare_check_times(run, err) || tasks_build(run, err) || tasks_apply_ledger(run, err))
		return -1;
	return run->ledger.begun && tasks_left(run) == 0 ? again(run, err) : apply(run, err);
}

int apply_run(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &run_command, run_plan);
}
