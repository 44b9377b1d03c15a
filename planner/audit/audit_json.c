/*
 * An audit for programs: the same as the text, whole, as one JSON object. Times are ISO 8601 in
 * UTC, absent ones null.
 */
#include <string.h>
#include "audit_private.h"
#include "clock.h"
#include "text.h"

/*
 * Before a member or an element: a comma, unless it is the first of its object or array, or a
 * member's value.
 */
static void element(struct buf *out)
{
	if (out->len && !strchr("[{:", out->data[out->len - 1]))
		buf_add_char(out, ',');
}

static void name(struct buf *out, const char *key)
{
	element(out);
	buf_add_format(out, "\"%s\":", key);
}

static void add_string(struct buf *out, const char *key, const char *value)
{
	name(out, key);
	if (value)
		text_json(out, value, strlen(value));
	else
		buf_add_text(out, "null");
}

static void add_number(struct buf *out, const char *key, int64_t value)
{
	name(out, key);
	buf_add_format(out, "%lld", (long long)value);
}

static void add_flag(struct buf *out, const char *key, bool value)
{
	name(out, key);
	buf_add_text(out, value ? "true" : "false");
}

static void add_time(struct buf *out, const char *key, int64_t us)
{
	char text[CLOCK_MICROS_SIZE];
	clock_micros(us, text);
	add_string(out, key, us ? text : NULL);
}

static void add_digest(struct buf *out, const char *key, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE];
	digest_hex(digest, hex);
	add_string(out, key, hex);
}

/* "" stands for "not said" in records. */
static const char *said(const char *text)
{
	return text[0] ? text : NULL;
}

static void write_plan(const struct audit *audit, struct buf *out)
{
	const struct plan_statement *statement = &audit->verified.trust.statement;
	name(out, "plan");
	buf_add_char(out, '{');
	add_digest(out, "id", &audit->plan);
	add_string(out, "label", statement->label);
	add_string(out, "database", statement->database);
	add_string(out, "system_identifier", statement->system_identifier);
	add_string(out, "apply_host", statement->apply_host);
	add_string(out, "ticket", statement->ticket);
	add_string(out, "planner", audit->verified.trust.planner);
	add_time(out, "created", statement->created_us);
	add_time(out, "expires", statement->expires_us);
	add_number(out, "schemas", statement->schemas);
	add_number(out, "statements", statement->statements);
	add_number(out, "destructive", statement->destructive);
	buf_add_char(out, '}');
}

static void write_signatures(const struct audit *audit, struct buf *out)
{
	static const char *const verdicts[] = { "counts", "rejects", "ignored" };
	const struct trust_result *result = &audit->verified.trust;
	add_number(out, "approvals", result->approvals);
	add_number(out, "approvals_required", result->approvals_required);
	add_time(out, "judged_as_of", audit->judged_us);
	add_flag(out, "judged_at_run", audit->judged_at_run);
	add_flag(out, "expired_since", audit->expired_since);
	add_string(out, "not_approved", audit->not_approved ? audit->refusal : NULL);
	name(out, "signatures");
	buf_add_char(out, '[');
	for (size_t i = 0; i < result->signatures; i++) {
		const struct trust_signature *signature = &result->signature[i];
		element(out);
		buf_add_char(out, '{');
		add_string(out, "verdict", verdicts[signature->verdict]);
		add_string(out, "namespace", signature->name_space);
		add_string(out, "principal", said(signature->principal));
		add_string(out, "fingerprint", signature->fingerprint);
		add_time(out, "signed_at", signature->signed_at_us);
		add_string(out, "ticket", said(signature->ticket));
		add_string(out, "comment", said(signature->comment));
		add_string(out, "why", said(signature->why));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void write_run(const struct audit_run *run, struct buf *out)
{
	element(out);
	buf_add_char(out, '{');
	add_string(out, "run", run->id);
	add_time(out, "started", run->started_us);
	add_time(out, "ended", run->ended_us);
	add_string(out, "result", said(run->result));
	add_string(out, "why", said(run->why));
	add_string(out, "uid", said(run->uid));
	add_string(out, "sudo_uid", said(run->sudo_uid));
	add_string(out, "tty", said(run->tty));
	add_string(out, "operator", run->operator_name);
	add_string(out, "host", said(run->host));
	add_string(out, "program", said(run->program));
	add_string(out, "server_version", said(run->server_version));
	add_string(out, "restore_before", said(run->restore_before));
	add_string(out, "restore_behind", said(run->restore_behind));
	add_number(out, "segments", run->segments);
	add_number(out, "reconciled", run->reconciled);
	add_number(out, "retries", run->retries);
	add_number(out, "records", run->records);
	add_number(out, "unsigned_records", run->unsigned_records);
	add_string(out, "signed_by", run->fingerprint);
	add_digest(out, "head", &run->head);
	buf_add_char(out, '}');
}

static void write_count(const struct audit_count *count, struct buf *out)
{
	add_number(out, "schemas", count->schemas);
	add_number(out, "done", count->by_standing[AUDIT_DONE]);
	add_number(out, "failed", count->by_standing[AUDIT_FAILED]);
	add_number(out, "partly_done", count->by_standing[AUDIT_PARTLY]);
	add_number(out, "not_begun", count->by_standing[AUDIT_LEFT]);
}

static void write_migrations(const struct doc_program *program, struct buf *out)
{
	name(out, "migrations");
	buf_add_char(out, '[');
	for (size_t s = 0; s < program->segments; s++)
		for (size_t m = 0; m < program->segment[s].migrations; m++) {
			const struct doc_migration *migration = &program->segment[s].migration[m];
			if (!doc_migration_begins(program, s, m))
				continue;
			element(out);
			buf_add_char(out, '{');
			add_string(out, "version", migration->version);
			add_string(out, "name", migration->name);
			add_string(out, "direction", migration->up ? "up" : "down");
			buf_add_char(out, '}');
		}
	buf_add_char(out, ']');
}

static void write_waves_and_classes(const struct audit *audit, struct buf *out)
{
	const struct document *document = audit->verified.document;
	name(out, "waves");
	buf_add_char(out, '[');
	for (size_t i = 0; i < document->waves; i++) {
		element(out);
		buf_add_char(out, '{');
		add_string(out, "wave", document->wave[i].name);
		write_count(&audit->wave[i], out);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
	name(out, "classes");
	buf_add_char(out, '[');
	for (size_t i = 0; i < document->classes; i++) {
		element(out);
		buf_add_char(out, '{');
		add_number(out, "class", document->class[i].number);
		add_string(out, "scope", document->class[i].shared ? "shared" : "tenant");
		add_flag(out, "revert", audit_program(audit, (int)i)->revert);
		write_count(&audit->class[i], out);
		write_migrations(audit_program(audit, (int)i), out);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void write_event(const struct audit *audit, const struct audit_event *event, struct buf *out)
{
	static const char *const types[] = { "segment", "reconcile", "retry", "error", "signal" };
	element(out);
	buf_add_char(out, '{');
	add_string(out, "type", types[event->type]);
	add_time(out, "time", event->time_us);
	add_string(out, "run", audit->run[event->run].id);
	add_number(out, "seq", event->seq);
	if (event->segment)
		add_number(out, "segment", event->segment);
	if (event->attempt)
		add_number(out, "attempt", event->attempt);
	if (event->duration_us)
		add_number(out, "duration_us", event->duration_us);
	const struct { const char *key, *value; } texts[] = {
		{ "xid", event->xid }, { "applied_by", event->applied_by }, { "signal", event->signal },
		{ "message", event->message }, { "blockers", event->blockers }, { "file", event->file }
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value[0])
			add_string(out, texts[i].key, texts[i].value);
	if (event->type == AUDIT_ERROR || event->type == AUDIT_RETRY)
		add_string(out, "sqlstate", said(event->sqlstate));
	if (event->statement)
		add_number(out, "statement", event->statement);
	if (event->line)
		add_number(out, "line", event->line);
	if (event->pilot)
		add_flag(out, "pilot", true);
	buf_add_char(out, '}');
}

/* schema -1: records of runs as a whole. */
static void write_events(const struct audit *audit, const char *key, int schema, struct buf *out)
{
	name(out, key);
	buf_add_char(out, '[');
	for (size_t i = 0; i < audit->events; i++)
		if (audit->event[i].schema == schema)
			write_event(audit, &audit->event[i], out);
	buf_add_char(out, ']');
}

static void write_schema_members(const struct audit *audit, int index, struct buf *out)
{
	const struct document *document = audit->verified.document;
	const struct audit_schema *schema = &audit->schema[index];
	add_string(out, "schema", document->schema[index].name);
	add_number(out, "class", document->class[document->schema[index].class_index].number);
	add_string(out, "wave", document->wave[document->schema[index].wave].name);
	add_string(out, "standing", audit_standing_name(schema->standing));
	add_number(out, "segments", schema->segments);
	add_number(out, "segments_done", schema->segments_done);
	add_time(out, "done", schema->standing == AUDIT_DONE ? schema->done_us : 0);
	add_number(out, "retries", schema->retries);
	name(out, "error");
	if (schema->last_error >= 0 && schema->standing != AUDIT_DONE)
		write_event(audit, &audit->event[schema->last_error], out);
	else
		buf_add_text(out, "null");
}

static int write_one_schema(
	const struct audit *audit, const char *schema, struct buf *out, struct err *err)
{
	int index = audit_records_schema(audit, schema);
	if (index < 0) {
		err_set(err, ERR_USAGE, "the plan does not have a schema \"%s\"", schema);
		return err_hint(err, "pgdocket show lists the plan's schemas");
	}
	buf_add_char(out, '{');
	write_schema_members(audit, index, out);
	write_migrations(
		audit_program(audit, audit->verified.document->schema[index].class_index), out);
	write_events(audit, "records", index, out);
	buf_add_text(out, "}\n");
	return buf_check(out, err);
}

int audit_report_json(
	const struct audit *audit, const char *schema, struct buf *out, struct err *err)
{
	if (schema)
		return write_one_schema(audit, schema, out, err);
	buf_add_char(out, '{');
	add_flag(out, "verified", true);
	add_flag(out, "complete", audit->complete);
	write_plan(audit, out);
	write_signatures(audit, out);
	name(out, "runs");
	buf_add_char(out, '[');
	for (size_t i = 0; i < audit->runs; i++)
		write_run(&audit->run[i], out);
	buf_add_char(out, ']');
	write_events(audit, "run_records", -1, out);
	name(out, "total");
	buf_add_char(out, '{');
	write_count(&audit->total, out);
	buf_add_char(out, '}');
	write_waves_and_classes(audit, out);
	name(out, "schemas");
	buf_add_char(out, '[');
	for (size_t i = 0; i < audit->schemas; i++) {
		element(out);
		buf_add_char(out, '{');
		write_schema_members(audit, audit->by_name[i], out);
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]}\n");
	return buf_check(out, err);
}
