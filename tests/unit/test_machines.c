/* The state machines' tables, cell by cell: what stands in none is a fault of ours, what stands in one is done, every way ends. */
#include <criterion/criterion.h>

#include <string.h>
#include "applier.h"
#include "segment_inside.h"
#include "pg_fixture.h"

static bool may_commit(void *context)
{
	return *(bool *)context;
}

/* --- segment --- */

static bool known(int state, int event)
{
	return segment_table[state][event].action != ACTION_BUG;
}

Test(machines, every_segment_ends_whatever_is_lost_or_late)
{
	for (int state = 0; state < STATE_ENDED; state++) {
		cr_expect(known(state, EVENT_LOST) && segment_table[state][EVENT_LOST].next == STATE_ENDED, "state %d", state);
		cr_expect(known(state, EVENT_ALIEN) && segment_table[state][EVENT_ALIEN].next == STATE_ENDED, "state %d", state);
		cr_expect(known(state, EVENT_TOO_LATE) && segment_table[state][EVENT_TOO_LATE].next == STATE_ENDED, "state %d", state);
		cr_expect(known(state, EVENT_LATE), "state %d", state);
	}
	for (int event = 0; event < SEGMENT_EVENTS; event++)
		cr_expect_not(known(STATE_ENDED, event), "event %d", event);
}

/* Only the way through SETTLE commits, and only CLOSE leads there. */
Test(machines, only_an_answered_commit_is_one)
{
	for (int state = 0; state < SEGMENT_STATES; state++)
		for (int event = 0; event < SEGMENT_EVENTS; event++) {
			const struct segment_transition *t = &segment_table[state][event];
			if (t->action == ACTION_COMMITTED)
				cr_expect(state == STATE_SETTLE && event == EVENT_SYNCED_IDLE);
			if (t->action != ACTION_BUG && t->next == STATE_SETTLE)
				cr_expect(state == STATE_CLOSE && event == EVENT_STAGE);
			if (t->action != ACTION_BUG && t->next == STATE_CLOSE && state != STATE_CLOSE)
				cr_expect(state == STATE_WORK && t->action == ACTION_CLOSE);
			if (t->action == ACTION_ALONE)
				cr_expect(event == EVENT_OPEN && (state == STATE_BEGUN || state == STATE_PROBE));
		}
}

Test(machines, every_state_of_a_segment_is_reached_and_left)
{
	bool reached[SEGMENT_STATES] = { [STATE_RESET] = true, [STATE_CLAIM] = true, [STATE_INTENT] = true };
	for (int round = 0; round < SEGMENT_STATES; round++)
		for (int state = 0; state < SEGMENT_STATES; state++)
			for (int event = 0; event < SEGMENT_EVENTS; event++)
				if (reached[state] && known(state, event))
					reached[segment_table[state][event].next] = true;
	for (int state = 0; state < SEGMENT_STATES; state++)
		cr_expect(reached[state], "state %d", state);
}

/* Each cell on a session of its own: the machine stands where the table says, or has ended as it says. */
static enum segment_outcome outcome_of(enum segment_action action)
{
	switch ((int)action) {
	case ACTION_COMMITTED: return SEGMENT_COMMITTED;
	case ACTION_UNDONE: return SEGMENT_ROLLED_BACK;
	case ACTION_UNFIT: return SEGMENT_NOT_BEGUN;
	case ACTION_BUG:
	case ACTION_UNKNOWN: return SEGMENT_UNKNOWN;
	default: return SEGMENT_RUNNING;
	}
}

static struct session *cell_session(const struct document *document)
{
	struct session_options options = { .conninfo = "postgres", .host = getenv("PG_FIXTURE"), .user = "postgres" };
	struct session *session = NULL;
	struct err err = ERR_INIT;
	cr_assert_eq(session_open(&options, &session, &err), 0, "%s", err.message);
	cr_assert_eq(session_pipeline_enter(session, &err), 0);
	(void)document;
	return session;
}

static void walk(int state, int event, bool may, struct segment_job *job)
{
	const struct segment_transition *t = &segment_table[state][event];
	struct err err = ERR_INIT;
	struct segment *segment = segment_new(&err);
	bool asks = t->action == ACTION_BEGUN || t->action == ACTION_CLOSE;
	job->context = &may;
	segment->session = cell_session(job->document);
	segment->job = *job;
	segment->state = (enum segment_state)state;
	memcpy(segment->leftover, "ix", 3);
	segment_handle(segment, (enum segment_event)event);
	if (asks && !may) {
		cr_expect(segment->state == STATE_UNDO && segment->result.stopped, "%d, %d", state, event);
	} else {
		cr_expect_eq(segment->state, t->action == ACTION_BUG ? STATE_ENDED : t->next, "%d, %d: %d, %s", state, event,
		             segment->state, segment->result.error.message);
		cr_expect_eq(segment->result.outcome, outcome_of(t->action), "%d, %d: %d", state, event, segment->result.outcome);
	}
	cr_expect_eq(segment->result.error.code == ERR_BUG, t->action == ACTION_BUG, "%d, %d: %s", state, event,
	             segment->result.error.message);
	if (t->action == ACTION_BUG || t->action == ACTION_UNKNOWN || t->action == ACTION_UNFIT || t->action == ACTION_CANCEL)
		cr_expect(segment->result.spent, "%d, %d", state, event);
	session_close(segment->session);
	segment_free(segment);
}

Test(machines, every_cell_of_the_segment_table_does_what_it_says)
{
	static const char *path[] = { "$schema", "public" };
	struct document document = { .paths = 2, .path = path, .shape_query = { .text = "SELECT 1" }, .shared_schema = "public" };
	struct doc_statement statement = { .number = 1, .step = { .text = "SELECT 1", .text_len = 8 } };
	struct doc_segment segment = { .number = 1, .statements = 1, .statement = &statement,
		                       .alone = { .object = "ix", .has_probe = true, .probe = { .text = "SELECT 'open', NULL", .answer = "open" } } };
	struct doc_schema schema = { .name = "tenant_a", .oid = 5 };
	struct digest plan = { { 7 } };
	struct segment_job job = { .document = &document, .plan = &plan, .run = "00000000000000000000000000000000", .schema = &schema,
		                   .segment = &segment, .oid = 5, .audit_head = &plan, .may_commit = may_commit };
	for (int state = 0; state < SEGMENT_STATES; state++)
		for (int event = 0; event < SEGMENT_EVENTS; event++)
			for (int may = 0; may < 2; may++)
				if (may || segment_table[state][event].action == ACTION_BEGUN || segment_table[state][event].action == ACTION_CLOSE)
					walk(state, event, may, &job);
}

/* --- worker --- */

Test(machines, every_cell_of_the_worker_table_does_what_it_says)
{
	for (int state = 0; state < WORKER_STATES; state++)
		for (int event = 0; event < WORKER_EVENTS; event++) {
			const struct worker_transition *t = &worker_table[state][event];
			struct worker worker = { .number = 3, .state = (enum worker_state)state, .session = cell_session(NULL) };
			struct err err = ERR_INIT;
			bool reset = false;
			int rc = worker_handle(&worker, (enum worker_event)event, &reset, &err);
			cr_expect_eq(rc != 0, t->action == WORKER_BUG, "%d, %d", state, event);
			cr_expect_eq(err.code, rc ? ERR_BUG : ERR_NONE, "%d, %d", state, event);
			cr_expect_eq(worker.state, rc ? (enum worker_state)state : t->next, "%d, %d", state, event);
			cr_expect_eq(reset, !rc && t->action == WORKER_RESET);
			cr_expect_eq(worker.session == NULL, !rc && t->action == WORKER_CLOSE);
			cr_expect(rc || worker.session || worker.state == WORKER_ABSENT, "%d, %d", state, event);
			session_close(worker.session);
		}
}

/* --- run --- */

Test(machines, every_event_of_a_run_is_known_in_each_state_and_never_leads_back)
{
	for (int state = 0; state < RUN_STATES; state++)
		for (int event = 0; event < RUN_EVENTS; event++) {
			struct run run = { .state = (enum run_state)state };
			struct err why = ERR_INIT;
			cr_expect_neq(waves_table[state][event].action, RUN_BUG, "%d, %d", state, event);
			cr_expect_geq(waves_table[state][event].next, (enum run_state)state, "%d, %d", state, event);
			if (event != RUN_STOP)
				continue;
			err_set(&why, ERR_SERVER, "first");
			waves_stop(&run, &why);
			cr_expect_eq(run.state, waves_table[state][event].next);
			err_set(&why, ERR_SERVER, "second");
			waves_stop(&run, &why);
			cr_expect_str_eq(run.why.message, "first");
		}
	cr_expect_eq(waves_table[RUN_GOING][RUN_SIGNAL].next, RUN_STOPPING);
	cr_expect_eq(waves_table[RUN_STOPPING][RUN_SIGNAL].action, RUN_CANCEL);
}
