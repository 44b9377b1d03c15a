/*
 * What was read, as rows and objects of the bundle. Writes into an edit's database alone; asks the
 * server nothing.
 */
#include <string.h>
#include "clock.h"
#include "object.h"
#include "snapshot_private.h"
#include "sql.h"
#include "text.h"

#define FACTS_MAX_BYTES (16u << 20)
#define TARGET 1

static const char *const scopes[] = { "shared", "tenant", "orphan" };

static void add_text(struct buf *out, const char *text)
{
	if (text)
		text_json(out, text, strlen(text));
	else
		buf_add_text(out, "null");
}

/* text[] literal {"a","b"} to JSON: the names need no escapes. */
static void add_names(struct buf *out, const char *names)
{
	buf_add_format(out, "[%.*s]", (int)strlen(names) - 2, names + 1);
}

static void write_facts(const struct snapshot *snapshot, struct buf *out)
{
	buf_add_text(out, "{\"layout\":");
	add_text(out, snapshot->options->layout);
	buf_add_text(out, ",\"history\":");
	add_text(out, snapshot->conf->history);
	buf_add_text(out, ",\"history_tables\":");
	add_names(out, snapshot->history_names);
	buf_add_format(out, ",\"tenants\":{\"listed\":%zu,\"active_column\":%s},\"problems\":[",
		snapshot->listed, snapshot->active_column ? "true" : "false");
	for (size_t i = 0; i < snapshot->problems; i++) {
		buf_add_text(out, i ? ",{\"rule\":" : "{\"rule\":");
		add_text(out, snapshot->problem[i].rule);
		buf_add_text(out, ",\"schema\":");
		add_text(out, snapshot->problem[i].schema);
		buf_add_text(out, ",\"message\":");
		add_text(out, snapshot->problem[i].message);
		buf_add_char(out, '}');
	}
	buf_add_format(out, "],\"server\":%s}\n", snapshot->server);
}

static int store_target(struct snapshot *snapshot, struct err *err)
{
	struct buf facts = BUF_INIT(FACTS_MAX_BYTES);
	struct digest facts_digest, conf_digest;
	struct db_query *query = NULL;
	int rc = -1;

	write_facts(snapshot, &facts);
	if (buf_check(&facts, err) ||
		object_put(snapshot->bundle, "facts", buf_text(&facts), facts.len, &facts_digest, err) ||
		object_put(snapshot->bundle, "configuration", snapshot->conf->text,
			snapshot->conf->text_len, &conf_digest, err) ||
		db_prepare(snapshot->bundle, sql_snapshot_target, &query, err))
		goto out;
	db_bind_int64(query, 1, TARGET);
	db_bind_text(query, 2, snapshot->conf->label);
	db_bind_text(query, 3, snapshot->system_identifier);
	db_bind_int64(query, 4, snapshot->database_oid);
	db_bind_text(query, 5, snapshot->database);
	db_bind_int64(query, 6, session_server_version(snapshot->session));
	db_bind_int64(query, 7, snapshot->taken_us);
	db_bind_text(query, 8, snapshot->conf->shared_schema);
	db_bind_blob(query, 9, conf_digest.bytes, sizeof conf_digest.bytes);
	db_bind_blob(query, 10, facts_digest.bytes, sizeof facts_digest.bytes);
	rc = db_run(query, err);
out:
	db_finish(query);
	buf_release(&facts);
	return rc;
}

/* What makes a class: parameters 1 to 5 of both statements. */
static void bind_class(struct db_query *query, const struct snapshot_unit *unit)
{
	db_bind_int64(query, 1, TARGET);
	db_bind_text(query, 2, scopes[unit->scope]);
	db_bind_text(query, 3, unit->adapter ? unit->adapter->name : NULL);
	db_bind_null(query, 4);
	db_bind_null(query, 5);
	if (unit->oid) {
		db_bind_blob(query, 4, unit->state.bytes, sizeof unit->state.bytes);
		db_bind_blob(query, 5, unit->shape.bytes, sizeof unit->shape.bytes);
	}
}

static int store_unit(struct db_query *class, struct db_query *schema,
	const struct snapshot_unit *unit, struct err *err)
{
	bind_class(class, unit);
	if (db_run(class, err))
		return -1;
	bind_class(schema, unit);
	db_bind_text(schema, 6, unit->name);
	db_bind_int64(schema, 7, unit->listed);
	db_bind_int64(schema, 8, unit->active);
	if (unit->oid)
		db_bind_int64(schema, 9, unit->oid);
	else
		db_bind_null(schema, 9);
	db_bind_int64(schema, 10, unit->tables);
	db_bind_int64(schema, 11, unit->rows);
	db_bind_int64(schema, 12, unit->bytes);
	return db_run(schema, err);
}

int snapshot_store(struct snapshot *snapshot, struct err *err)
{
	struct db_query *class = NULL, *schema = NULL;
	int rc = store_target(snapshot, err);

	if (rc == 0)
		rc = db_prepare(snapshot->bundle, sql_snapshot_class, &class, err);
	if (rc == 0)
		rc = db_prepare(snapshot->bundle, sql_snapshot_schema, &schema, err);
	for (size_t i = 0; rc == 0 && i < snapshot->units; i++)
		rc = store_unit(class, schema, &snapshot->unit[i], err);
	db_finish(class);
	db_finish(schema);
	return rc;
}
