/*
 * The run's loop: waves in their order, workers fed with schemas, all sockets waited for with
 * poll(2), until a wave is done, its budget of failures is spent, or the run is to stop. What runs
 * is always let end.
 */
#include "applier.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "sql.h"

#define LOOK_EVERY_MS 1000

/* --- the run's state --- */

/* clang-format off */
#define ON(state, event, action, next) \
	[RUN_##state][RUN_##event] = { RUN_##action, RUN_##next },
const struct run_transition waves_table[RUN_STATES][RUN_EVENTS] = {
	ON(GOING,     SIGNAL, ANNOUNCE, STOPPING)
	ON(GOING,     STOP,   KEEP,     STOPPING)
	ON(GOING,     FATAL,  CANCEL,   CANCELLED)
	ON(STOPPING,  SIGNAL, CANCEL,   CANCELLED)
	ON(STOPPING,  STOP,   KEEP,     STOPPING)
	ON(STOPPING,  FATAL,  CANCEL,   CANCELLED)
	ON(CANCELLED, SIGNAL, KEEP,     CANCELLED)
	ON(CANCELLED, STOP,   KEEP,     CANCELLED)
	ON(CANCELLED, FATAL,  KEEP,     CANCELLED)
};
#undef ON
/* clang-format on */

/* SIGINT, SIGTERM, SIGHUP: the first lets what runs finish, the second cancels it. */
static volatile sig_atomic_t requests, newest;
static int heard;

static void count(int number)
{
	newest = number;
	if (requests < 100)
		requests++;
}

/* Without SA_RESTART, so that poll returns at once. */
void waves_catch_signals(void)
{
	struct sigaction action = { .sa_handler = count }, ignore = { .sa_handler = SIG_IGN };
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
}

bool waves_interrupted(void)
{
	return requests > 0;
}

static const char *signal_name(void)
{
	return newest == SIGTERM ? "SIGTERM" : newest == SIGHUP ? "SIGHUP" : "SIGINT";
}

static void tell(struct run *run, enum run_event event, const struct err *why)
{
	const struct run_transition *transition = &waves_table[run->state][event];
	if (run->why.code == ERR_NONE)
		run->why = *why;
	run->state = transition->next;
	if (transition->action == RUN_ANNOUNCE)
		events_note(run, "%s: what runs is finished, nothing new is begun; once more cancels it",
			signal_name());
	for (int i = 0; transition->action == RUN_CANCEL && i < run->workers; i++)
		if (run->worker[i].task)
			segment_interrupt(run->worker[i].engine);
}

void waves_stop(struct run *run, const struct err *why)
{
	tell(run, RUN_STOP, why);
}

bool waves_may_commit(void *context)
{
	const struct run *run = context;
	return run->state != RUN_CANCELLED && recorder_sound(run->recorder) &&
		!session_lost(run->control);
}

static int signals(struct run *run, struct err *err)
{
	for (; heard < requests; heard++) {
		struct err why = ERR_INIT;
		bool first = run->state == RUN_GOING;
		err_set(&why, ERR_INTERRUPTED, "interrupted by %s", signal_name());
		err_hint(&why, "nothing is half done; the same command goes on");
		tell(run, RUN_SIGNAL, &why);
		if (first && events_signal(run, signal_name(), err))
			return -1;
	}
	return 0;
}

/* A worker's segment has ended: go on with the same schema's next one, or be idle. */
static int finish(struct run *run, struct worker *worker, struct err *err)
{
	struct task *task = worker->task;
	size_t next = task->next;
	int rc = worker_end(worker, err) || outcome_take(run, worker, err) ? -1 : 0;
	if (!rc && run->state == RUN_GOING && task->state == TASK_WAITING && task->next > next &&
		task_lane(task) == run->lane)
		return worker_begin(run, worker, task, err);
	if (run->state != RUN_GOING && task->state == TASK_WAITING)
		task_put_back(task);
	worker->task = NULL;
	return rc;
}

/* --- one turn of the loop --- */

struct turn {
	int64_t now_us, wait_us; /* the nearest time at which something is due; 0: nothing is */
	int running;
	bool asking;
};

static void due(struct turn *turn, int64_t at_us)
{
	if (at_us && (!turn->wait_us || at_us < turn->wait_us))
		turn->wait_us = at_us;
}

static int advance(struct run *run, struct turn *turn, struct err *err)
{
	for (int i = 0; i < run->workers; i++) {
		struct worker *worker = &run->worker[i];
		while (worker->task && segment_advance(worker->engine, turn->now_us))
			if (finish(run, worker, err))
				return -1;
		turn->running += worker->task != NULL;
	}
	return 0;
}

/* A concurrent index build waits for every older snapshot: whoever holds one is named. */
static void name_snapshots(struct run *run, const struct task *task)
{
	struct rows *rows = NULL;
	struct err ignored = ERR_INIT;
	if (ask_rows(run->control, sql_waves_snapshots, &rows, &ignored, "") == 0 &&
		rows_text(rows, 0, 0))
		events_note(run, "%s: statement %s may have to wait for: %s", task->schema->name,
			task_segment(task)->alone.object, rows_text(rows, 0, 0));
	rows_free(rows);
}

static int feed(struct run *run, struct turn *turn, struct err *err)
{
	int side_by_side = run->lane == LANE_NORMAL ? run->workers : 1;
	for (int i = 0; i < run->workers; i++) {
		struct worker *worker = &run->worker[i];
		if (!worker->task && run->state == RUN_GOING && turn->running < side_by_side) {
			int64_t wait_us = 0;
			struct task *task = task_pick(run, turn->now_us, &wait_us);
			due(turn, wait_us);
			if (task && run->lane == LANE_ALONE)
				name_snapshots(run, task);
			if (task && worker_begin(run, worker, task, err))
				return -1;
			turn->running += task != NULL;
		}
		if (worker->task)
			due(turn, segment_deadline(worker->engine));
	}
	return 0;
}

/* Nothing can be begun in this lane any more before others were served: theirs is the turn. */
static int change_lanes(struct run *run, const struct turn *turn, struct err *err)
{
	enum lane from = run->lane;
	if (turn->running || turn->asking || run->state != RUN_GOING || !run->wave_left)
		return 0;
	while (!tasks_open(run)) {
		run->lane = (run->lane + 1) % LANES;
		if (run->lane == from)
			return err_set(err, ERR_BUG, "schemas are left and none can go on");
	}
	return 0;
}

static int ask_again(struct run *run, struct turn *turn, struct err *err)
{
	for (size_t i = 0; i < run->tasks; i++) {
		struct task *task = &run->task[i];
		if (task->state != TASK_ASKING)
			continue;
		if (task->not_before_us <= turn->now_us && outcome_ask(run, task, err))
			return -1;
		if (task->state == TASK_ASKING) {
			turn->asking = true;
			due(turn, task->not_before_us);
		}
	}
	return 0;
}

static void spend_budget(struct run *run)
{
	const struct doc_wave *wave = &run->document->wave[run->wave];
	if (run->state != RUN_GOING || run->wave_failed <= wave->max_failures)
		return;
	waves_stop(run, &run->failure);
	if (run->wave_failed > 1 || wave->max_failures)
		events_note(run, "wave %s: %d failures, %d are allowed: nothing new is begun", wave->name,
			run->wave_failed, wave->max_failures);
}

static int watch_control(struct run *run, struct err *err)
{
	if (!session_lost(run->control))
		return 0;
	err_set(err, ERR_SERVER, "the control connection is lost, and the run lock with it");
	return err_hint(err, "the same command goes on when the server can be reached");
}

static int await(struct run *run, const struct turn *turn, struct err *err)
{
	struct session *sessions[RUN_JOBS_MAX + 2];
	int64_t timeout_ms = LOOK_EVERY_MS, batch_ms = recorder_due_ms(run->recorder);
	for (int i = 0; i < run->workers; i++)
		sessions[i] = run->worker[i].task ? run->worker[i].session : NULL;
	sessions[run->workers] = run->control;
	sessions[run->workers + 1] = run->reader;
	if (turn->wait_us) {
		int64_t left_ms = (turn->wait_us - clock_monotonic_us() + 999) / 1000;
		if (left_ms < timeout_ms)
			timeout_ms = left_ms > 0 ? left_ms : 0;
	}
	if (batch_ms >= 0 && batch_ms < timeout_ms)
		timeout_ms = batch_ms;
	return session_wait(sessions, run->workers + 2, timeout_ms, err);
}

/* *over: nothing runs, and nothing more will. */
static int turn_once(struct run *run, bool *over, struct err *err)
{
	struct turn turn = { .now_us = clock_monotonic_us() };
	if (signals(run, err) || advance(run, &turn, err) || guards_advance(run, err) ||
		ask_again(run, &turn, err))
		return -1;
	spend_budget(run);
	if (guards_ask(run, err) || change_lanes(run, &turn, err) || feed(run, &turn, err) ||
		recorder_flush(run->recorder, false, err) || watch_control(run, err))
		return -1;
	*over = turn.running == 0 && !turn.asking && (run->state != RUN_GOING || run->wave_left == 0);
	return *over ? 0 : await(run, &turn, err);
}

/*
 * The run cannot go on: what runs is cancelled, and read to its end as far as the connections
 * allow.
 */
static void wind_up(struct run *run, const struct err *why)
{
	int64_t until_us = clock_monotonic_us() + 15 * 1000000ll;
	bool running = true;
	tell(run, RUN_FATAL, why);
	while (running && clock_monotonic_us() < until_us) {
		struct turn turn = { .now_us = clock_monotonic_us() };
		struct err ignored = ERR_INIT;
		running = false;
		for (int i = 0; i < run->workers; i++) {
			struct worker *worker = &run->worker[i];
			if (worker->task && segment_advance(worker->engine, turn.now_us) &&
				finish(run, worker, &ignored))
				err_clear(&ignored);
			running = running || worker->task;
		}
		if (running && await(run, &turn, &ignored))
			break;
	}
}

/* --- waves --- */

static bool wave_begin(struct run *run, int wave)
{
	run->wave = wave;
	run->wave_failed = 0;
	run->wave_done = run->wave_left = 0;
	run->first_open = 0;
	run->lane = LANE_NORMAL;
	run->chunk = 2 * (size_t)run->workers;
	for (size_t i = 0; i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		if (task->schema->wave == wave)
			*(task->state == TASK_DONE ? &run->wave_done : &run->wave_left) += 1;
	}
	return run->wave_left > 0;
}

static bool named(const char *option, const struct doc_wave *wave)
{
	return option && strcmp(option, wave->name) == 0;
}

static int run_wave(struct run *run, struct err *err)
{
	bool over = false;
	if (guards_check_shared(run, err))
		return -1;
	events_wave_start(run);
	while (!over)
		if (turn_once(run, &over, err))
			return -1;
	events_wave_end(run);
	return 0;
}

/* --wave: those before it must be done, those behind it stay. */
static int earlier_waves_done(const struct run *run, struct err *err)
{
	const char *only = run->options.wave;
	for (size_t i = 0; only && i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		const struct doc_wave *wave = &run->document->wave[task->schema->wave];
		for (int w = 0; !named(only, &run->document->wave[w]); w++) {
			if (w != task->schema->wave || task->state == TASK_DONE)
				continue;
			err_set(err, ERR_UNFIT, "wave %s comes before wave %s and is not done: schema %s",
				wave->name, only, task->schema->name);
			return err_hint(err, "run without --wave, or that wave first");
		}
	}
	return 0;
}

int waves_run(struct run *run, struct err *err)
{
	struct err fatal = ERR_INIT;
	int rc = 0;
	if (earlier_waves_done(run, err))
		return -1;
	if (workers_open(run, err) || guards_open(run, err)) {
		workers_close(run);
		return -1;
	}
	for (size_t w = 0; w < run->document->waves && !rc && run->state == RUN_GOING; w++) {
		const struct doc_wave *wave = &run->document->wave[w];
		if (wave_begin(run, (int)w) && (!run->options.wave || named(run->options.wave, wave)))
			rc = run_wave(run, &fatal);
		if (named(run->options.stop_after, wave) || named(run->options.wave, wave))
			break;
	}
	if (rc)
		wind_up(run, &fatal);
	workers_close(run);
	return 0;
}
