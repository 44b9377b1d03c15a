/*
 * An audit for people: who planned, approved and ran what, when, with which result. Shows what
 * was verified and counted elsewhere; decides nothing. Every text from the bundle goes out
 * through text_safe.
 */
#include <stdlib.h>
#include <string.h>
#include "audit_private.h"
#include "clock.h"
#include "text.h"

#define SHOWN_PER_KIND 20 /* schemas listed before "and N more" */

const char *audit_standing_name(enum audit_standing standing)
{
	static const char *const names[] = { "not begun", "partly done", "failed", "done" };
	return names[standing];
}

static void add_safe(struct buf *out, const char *text)
{
	text_safe(out, text, strlen(text));
}

static void add_time(struct buf *out, int64_t us)
{
	char text[CLOCK_SECONDS_SIZE];
	clock_seconds(us, text);
	buf_add_text(out, text);
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static void heading(struct buf *out, const char *text, bool color)
{
	buf_add_format(out, color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

static bool is_given(const char *text)
{
	return text[0] && strcmp(text, "none") != 0;
}

static void show_approval(const struct trust_signature *signature, struct buf *out)
{
	buf_add_text(out, signature->verdict == VERDICT_REJECTS ? "  rejected by " : "  approved by ");
	add_safe(out, signature->principal);
	buf_add_text(out, ", ");
	add_time(out, signature->signed_at_us);
	if (is_given(signature->ticket)) {
		buf_add_text(out, ", ticket ");
		add_safe(out, signature->ticket);
	}
	buf_add_format(out, ", key %s", signature->fingerprint);
	if (is_given(signature->comment)) {
		buf_add_text(out, "\n    \"");
		add_safe(out, signature->comment);
		buf_add_char(out, '"');
	}
	buf_add_char(out, '\n');
}

static void show_signatures(const struct audit *audit, struct buf *out)
{
	const struct trust_result *result = &audit->verified.trust;
	for (size_t i = 0; i < result->signatures; i++) {
		const struct trust_signature *signature = &result->signature[i];
		if (signature->verdict == VERDICT_IGNORED) {
			buf_add_text(out, "  ignored     ");
			add_safe(out, signature->principal[0] ? signature->principal : signature->fingerprint);
			buf_add_text(out, ": ");
			add_safe(out, signature->why);
			buf_add_char(out, '\n');
		} else if (strcmp(signature->name_space, NAMESPACE_APPROVE) == 0) {
			show_approval(signature, out);
		}
	}
	buf_add_format(out, "  approvals   %d of %d required, judged as of ", result->approvals,
		result->approvals_required);
	add_time(out, audit->judged_us);
	buf_add_text(out, audit->judged_at_run ? ", when the first run began" : ", now");
	if (audit->expired_since)
		buf_add_text(
			out, "; plan or approvals have expired since, which does not matter to what was run");
	buf_add_char(out, '\n');
	if (audit->not_approved) {
		buf_add_text(out, "  not approved: ");
		add_safe(out, audit->refusal);
		buf_add_char(out, '\n');
	}
}

static void show_plan(const struct audit *audit, struct buf *out)
{
	const struct plan_statement *statement = &audit->verified.trust.statement;
	char plan[DIGEST_HEX_SIZE];
	digest_hex(&audit->plan, plan);
	buf_add_format(out, "plan %.12s for ", plan);
	add_safe(out, statement->label);
	buf_add_text(out, ", database ");
	add_safe(out, statement->database);
	buf_add_format(out,
		": %lld schema%s, %lld statement%s, %lld of them destructive\n  planned by  ",
		(long long)statement->schemas, plural(statement->schemas),
		(long long)statement->statements, plural(statement->statements),
		(long long)statement->destructive);
	add_safe(out, audit->verified.trust.planner);
	buf_add_text(out, ", ");
	add_time(out, statement->created_us);
	buf_add_text(out, ", expires ");
	add_time(out, statement->expires_us);
	if (is_given(statement->ticket)) {
		buf_add_text(out, ", ticket ");
		add_safe(out, statement->ticket);
	}
	buf_add_char(out, '\n');
	show_signatures(audit, out);
}

static void show_operator(const struct audit_run *run, struct buf *out)
{
	if (run->operator_name) {
		add_safe(out, run->operator_name);
		buf_add_text(out, ", ");
	}
	buf_add_text(out, "uid ");
	add_safe(out, run->uid);
	if (run->sudo_uid[0]) {
		buf_add_text(out, " (sudo from uid ");
		add_safe(out, run->sudo_uid);
		buf_add_char(out, ')');
	}
	buf_add_text(out, " on ");
	add_safe(out, run->host);
	buf_add_text(out, ", ");
	add_safe(out, run->program);
}

static void show_run(const struct audit_run *run, struct buf *out)
{
	buf_add_format(out, "  %.8s  ", run->id);
	add_time(out, run->started_us);
	buf_add_text(out, " to ");
	add_time(out, run->ended_us ? run->ended_us : run->last_us);
	buf_add_text(out, run->ended_us ? ": " : ": no end recorded");
	add_safe(out, run->result);
	if (run->why[0]) {
		buf_add_text(out, " (");
		add_safe(out, run->why);
		buf_add_char(out, ')');
	}
	buf_add_format(
		out, "; %lld segment%s, %lld %s", (long long)run->segments, plural(run->segments),
		(long long)run->retries, run->retries == 1 ? "retry" : "retries");
	if (run->reconciled)
		buf_add_format(out, ", %lld taken from the ledger", (long long)run->reconciled);
	buf_add_text(out, "\n            by ");
	show_operator(run, out);
	if (run->restore_before[0]) {
		buf_add_text(out, "\n            restore points: before ");
		add_safe(out, run->restore_before);
		buf_add_text(out, ", behind ");
		add_safe(out, run->restore_behind[0] ? run->restore_behind : "not known");
	}
	buf_add_format(
		out, "\n            %lld record%s, signed by %s", (long long)run->records,
		plural(run->records), run->fingerprint);
	if (run->host_principal) {
		buf_add_text(out, " (");
		add_safe(out, run->host_principal);
		buf_add_char(out, ')');
	}
	buf_add_char(out, '\n');
	if (run->unsigned_records)
		buf_add_format(out,
			"            %lld records stand behind the last checkpoint and prove nothing: records "
			"were cut off or added\n",
			(long long)run->unsigned_records);
}

static void show_count(const struct audit_count *count, struct buf *out)
{
	static const enum audit_standing order[] = {
		AUDIT_DONE, AUDIT_FAILED, AUDIT_PARTLY, AUDIT_LEFT
	};
	const char *comma = "";
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!count->by_standing[order[i]])
			continue;
		buf_add_format(out, "%s%lld %s", comma, (long long)count->by_standing[order[i]],
			audit_standing_name(order[i]));
		comma = ", ";
	}
	buf_add_char(out, '\n');
}

static void show_class_migrations(const struct doc_program *program, struct buf *out)
{
	for (size_t s = 0; s < program->segments; s++)
		for (size_t m = 0; m < program->segment[s].migrations; m++) {
			const struct doc_migration *migration = &program->segment[s].migration[m];
			if (!doc_migration_begins(program, s, m))
				continue;
			buf_add_text(out, migration->up ? " " : " -");
			add_safe(out, migration->version);
			buf_add_char(out, '_');
			add_safe(out, migration->name);
		}
}

static void show_waves_and_classes(const struct audit *audit, bool color, struct buf *out)
{
	const struct document *document = audit->verified.document;
	heading(out, "waves", color);
	for (size_t i = 0; i < document->waves; i++) {
		buf_add_text(out, "  ");
		add_safe(out, document->wave[i].name);
		buf_add_format(out, ": %lld schema%s: ", (long long)audit->wave[i].schemas,
			plural(audit->wave[i].schemas));
		show_count(&audit->wave[i], out);
	}
	heading(out, "classes", color);
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];
		buf_add_format(out, "  %d (%s), %lld schema%s: ", class->number,
			class->shared ? "shared" : "tenant", (long long)audit->class[i].schemas,
			plural(audit->class[i].schemas));
		show_count(&audit->class[i], out);
		buf_add_text(
			out, audit_program(audit, (int)i)->revert ? "      reverted:" : "      migrations:");
		show_class_migrations(audit_program(audit, (int)i), out);
		buf_add_char(out, '\n');
	}
}

static void show_error(const struct audit_event *event, struct buf *out)
{
	if (event->sqlstate[0]) {
		buf_add_text(out, "SQLSTATE ");
		add_safe(out, event->sqlstate);
		buf_add_text(out, ": ");
	}
	add_safe(out, event->message);
	if (event->statement) {
		buf_add_format(
			out, " (segment %d, statement %lld", event->segment, (long long)event->statement);
		if (event->file[0]) {
			buf_add_text(out, ", ");
			add_safe(out, event->file);
			buf_add_format(out, " line %lld", (long long)event->line);
		}
		buf_add_char(out, ')');
	}
}

static void show_left_schema(const struct audit *audit, size_t index, struct buf *out)
{
	const struct audit_schema *schema = &audit->schema[index];
	buf_add_text(out, "  ");
	add_safe(out, audit->verified.document->schema[index].name);
	buf_add_format(out, ": %s", audit_standing_name(schema->standing));
	if (schema->segments > 1)
		buf_add_format(out, ", %d of %d segments done", schema->segments_done, schema->segments);
	if (schema->last_error >= 0) {
		buf_add_text(out, ", ");
		show_error(&audit->event[schema->last_error], out);
	}
	buf_add_char(out, '\n');
}

/* Failed ones first: they are what has to be dealt with. */
static void show_left(const struct audit *audit, bool color, struct buf *out)
{
	static const enum audit_standing order[] = { AUDIT_FAILED, AUDIT_PARTLY, AUDIT_LEFT };
	if (audit->total.by_standing[AUDIT_DONE] == audit->total.schemas || !audit->runs)
		return;
	heading(out, "schemas that are not done", color);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		int64_t shown = 0, all = audit->total.by_standing[order[k]];
		for (size_t i = 0; i < audit->schemas && shown < SHOWN_PER_KIND; i++) {
			size_t index = (size_t)audit->by_name[i];
			if (audit->schema[index].standing != order[k])
				continue;
			show_left_schema(audit, index, out);
			shown++;
		}
		if (all > shown)
			buf_add_format(out, "  ... and %lld more %s (--json lists all)\n",
				(long long)(all - shown), audit_standing_name(order[k]));
	}
}

/* One run's error that says no more than an earlier event of the same place. */
static bool said_before(const struct audit_event *event, const struct audit_event *earlier)
{
	return earlier && event->type == AUDIT_ERROR && event->run == earlier->run &&
		event->segment == earlier->segment && event->statement == earlier->statement &&
		strcmp(event->sqlstate, earlier->sqlstate) == 0 &&
		strcmp(event->message, earlier->message) == 0;
}

static int compare_times(const void *a, const void *b)
{
	const struct audit_event *left = *(const struct audit_event *const *)a,
		*right = *(const struct audit_event *const *)b;
	if (left->time_us != right->time_us)
		return left->time_us < right->time_us ? -1 : 1;
	if (left->run != right->run)
		return left->run < right->run ? -1 : 1;
	return (left->seq > right->seq) - (left->seq < right->seq);
}

/* The events of one schema, or of the runs as a whole (-1), by time; malloc'ed. */
static int events_of(const struct audit *audit, int schema, const struct audit_event ***out,
	size_t *count, struct err *err)
{
	*count = 0;
	*out = calloc(audit->events + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	for (size_t i = 0; i < audit->events; i++)
		if (audit->event[i].schema == schema)
			(*out)[(*count)++] = &audit->event[i];
	qsort(*out, *count, sizeof(**out), compare_times);
	return 0;
}

static int show_run_errors(const struct audit *audit, struct buf *out, struct err *err)
{
	const struct audit_event **list;
	size_t count;
	if (events_of(audit, -1, &list, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct audit_event *event = list[i];
		if (event->type != AUDIT_ERROR || said_before(event, i ? list[i - 1] : NULL) ||
			strcmp(event->message, audit->run[event->run].why) == 0)
			continue;
		buf_add_format(out, "  %.8s  ", audit->run[event->run].id);
		add_time(out, event->time_us);
		buf_add_text(out, ": error ");
		show_error(event, out);
		buf_add_char(out, '\n');
	}
	free(list);
	return 0;
}

static void show_verdict(const struct audit *audit, bool color, struct buf *out)
{
	const char *colour = audit->complete ? "\033[32m" : "\033[33m";
	long long done = audit->total.by_standing[AUDIT_DONE], all = audit->total.schemas;
	buf_add_format(out, "\n%s", color ? colour : "");
	if (audit->complete)
		buf_add_format(out, "verified and complete: %lld of %lld schema%s", done, all, plural(all));
	else if (!audit->runs)
		buf_add_format(out, "verified, %s run", audit->not_approved ? "not approved, not" : "not");
	else
		buf_add_format(
			out, "verified, not complete: %lld of %lld schema%s", done, all, plural(all));
	if (!audit->complete && audit->run_says_complete && done < all)
		buf_add_text(out, "; a run says that everything is done, so records are missing here");
	else if (!audit->complete && audit->runs && done == all)
		buf_add_text(out, "; the end of the run is not recorded");
	buf_add_format(out, "%s\n", color ? "\033[0m" : "");
}

static void show_event_head(
	const struct audit *audit, const struct audit_event *event, struct buf *out)
{
	char time[CLOCK_MICROS_SIZE];
	clock_micros(event->time_us, time);
	buf_add_format(out, "  %s  run %.8s record %lld: ", time, audit->run[event->run].id,
		(long long)event->seq);
}

static void show_event(const struct audit *audit, const struct audit_event *event,
	const struct audit_event *before, struct buf *out)
{
	show_event_head(audit, event, out);
	switch (event->type) {
	case AUDIT_SEGMENT:
		buf_add_format(out, "segment %d done in %.3f s, transaction ", event->segment,
			(double)event->duration_us / 1e6);
		add_safe(out, event->xid);
		buf_add_format(out, ", attempt %lld%s", (long long)event->attempt,
			event->pilot ? ", pilot of its class" : "");
		break;
	case AUDIT_RECONCILE:
		buf_add_format(out, "segment %d found done in the ledger, by run ", event->segment);
		add_safe(out, event->applied_by);
		break;
	case AUDIT_RETRY:
		buf_add_format(
			out, "segment %d, attempt %lld: ", event->segment, (long long)event->attempt);
		show_error(event, out);
		if (event->blockers[0]) {
			buf_add_text(out, "; blocked by ");
			add_safe(out, event->blockers);
		}
		break;
	case AUDIT_ERROR:
		if (said_before(event, before)) {
			buf_add_text(out, "failed, with this error");
			break;
		}
		buf_add_text(out, "failed, ");
		show_error(event, out);
		break;
	case AUDIT_SIGNAL:
		buf_add_text(out, "signal ");
		add_safe(out, event->signal);
		break;
	}
	buf_add_char(out, '\n');
}

static int show_schema(
	const struct audit *audit, const char *name, struct buf *out, struct err *err)
{
	int index = audit_records_schema(audit, name);
	const struct audit_event **list;
	size_t count;
	if (index < 0) {
		err_set(err, ERR_USAGE, "the plan does not have a schema \"%s\"", name);
		return err_hint(err, "pgdocket show lists the plan's schemas");
	}
	const struct document *document = audit->verified.document;
	const struct doc_schema *schema = &document->schema[index];
	add_safe(out, schema->name);
	buf_add_format(out, " (oid %lld), class %d, wave ", (long long)schema->oid,
		document->class[schema->class_index].number);
	add_safe(out, document->wave[schema->wave].name);
	buf_add_format(out,
		": %s, %d of %d segment%s\n  %s:", audit_standing_name(audit->schema[index].standing),
		audit->schema[index].segments_done, audit->schema[index].segments,
		plural(audit->schema[index].segments),
		audit_program(audit, schema->class_index)->revert ? "reverted" : "migrations");
	show_class_migrations(audit_program(audit, schema->class_index), out);
	buf_add_char(out, '\n');
	if (events_of(audit, index, &list, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!i || list[i - 1]->type != AUDIT_ERROR || !said_before(list[i], list[i - 1]))
			show_event(audit, list[i], i ? list[i - 1] : NULL, out);
	free(list);
	return buf_check(out, err);
}

int audit_report(
	const struct audit *audit, const char *schema, bool color, struct buf *out, struct err *err)
{
	if (schema)
		return show_schema(audit, schema, out, err);
	show_plan(audit, out);
	if (audit->runs) {
		heading(out, "runs", color);
		for (size_t i = 0; i < audit->runs; i++)
			show_run(&audit->run[i], out);
		if (show_run_errors(audit, out, err))
			return -1;
		show_waves_and_classes(audit, color, out);
		show_left(audit, color, out);
	}
	show_verdict(audit, color, out);
	return buf_check(out, err);
}
