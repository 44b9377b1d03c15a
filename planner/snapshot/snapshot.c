/*
 * Takes a snapshot: one transaction exports it and stays open, the parts beside this file list,
 * read and store. Nothing is written on the server, and no lock outlives a batch.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "quote.h"
#include "snapshot_private.h"
#include "sql.h"

#define ARENA_MAX_BYTES ((size_t)1 << 30)
#define LINES_MAX_BYTES (64u << 20)
#define GRANTS_COMPARED 100
#define STRINGIFY(x) #x
#define NUMBER(x) STRINGIFY(x)

/* Room doubles; the arena keeps the old one. */
static void *grow(
	struct arena *arena, void *old, size_t count, size_t *room, size_t size, struct err *err)
{
	void *more;

	if (count < *room)
		return old;
	*room = *room ? *room * 2 : 64;
	more = arena_array(arena, *room, size, err);
	if (more && count)
		memcpy(more, old, count * size);
	return more;
}

struct snapshot_unit *snapshot_add_unit(
	struct snapshot *snapshot, const char *name, struct err *err)
{
	struct snapshot_unit *unit = grow(
		snapshot->arena, snapshot->unit, snapshot->units, &snapshot->units_room, sizeof *unit, err);

	if (!unit)
		return NULL;
	snapshot->unit = unit;
	unit += snapshot->units;
	memset(unit, 0, sizeof *unit);
	unit->name = arena_text(snapshot->arena, name, err);
	if (!unit->name)
		return NULL;
	snapshot->units++;
	return unit;
}

int snapshot_add_problem(struct snapshot *snapshot, const char *rule, const char *schema,
	struct err *err, const char *format, ...)
{
	struct snapshot_problem *problem = grow(snapshot->arena, snapshot->problem, snapshot->problems,
		&snapshot->problems_room, sizeof *problem, err);
	char message[500];
	va_list args;

	if (!problem)
		return -1;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	snapshot->problem = problem;
	problem += snapshot->problems;
	problem->rule = rule;
	problem->schema = arena_text(snapshot->arena, schema, err);
	problem->message = arena_text(snapshot->arena, message, err);
	if (!problem->schema || !problem->message)
		return -1;
	snapshot->problems++;
	return 0;
}

int snapshot_add_grant(
	struct snapshot *snapshot, const char *schema, const char *table, struct err *err)
{
	struct buf line = BUF_INIT(1000);
	int rc = -1;

	buf_add_text(&line, table ? "GRANT SELECT ON " : "GRANT USAGE ON SCHEMA ");
	if (quote_identifier(&line, schema, err))
		goto out;
	if (table) {
		buf_add_char(&line, '.');
		if (quote_identifier(&line, table, err))
			goto out;
	}
	buf_add_text(&line, " TO ");
	if (quote_identifier(&line, snapshot->role, err) || buf_check(&line, err))
		goto out;
	buf_add_text(&line, ";\n");
	/* What the tenants query needs comes first; only that can come again. */
	if (snapshot->missing > GRANTS_COMPARED ||
		!strstr(buf_text(snapshot->grants), buf_text(&line))) {
		buf_add(snapshot->grants, buf_text(&line), line.len);
		snapshot->missing++;
	}
	rc = buf_check(snapshot->grants, err);
out:
	buf_release(&line);
	return rc;
}

const char *snapshot_timeout(void)
{
	return NUMBER(SNAPSHOT_TIMEOUT_MS);
}

int snapshot_begin(struct session *session, const char *id, struct err *err)
{
	struct buf set = BUF_INIT(200);
	const char *timeout = snapshot_timeout();
	struct rows *rows = NULL;
	int rc = -1;

	if (session_run(session, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL,
			SNAPSHOT_TIMEOUT_MS, err))
		goto out;
	if (id) {
		buf_add_text(&set, "SET TRANSACTION SNAPSHOT ");
		if (quote_literal(&set, id, err) || buf_check(&set, err) ||
			session_run(session, buf_text(&set), 0, NULL, SNAPSHOT_TIMEOUT_MS, err))
			goto out;
	}
	rc = session_rows(session, sql_snapshot_begin, 1, &timeout, SNAPSHOT_TIMEOUT_MS, &rows, err);
out:
	rows_free(rows);
	buf_release(&set);
	return rc;
}

int snapshot_history_sql(const char *sql, const char *schema, struct buf *out, struct err *err)
{
	static const char mark[] = "$schema";
	const char *at;

	for (; (at = strstr(sql, mark)); sql = at + sizeof mark - 1) {
		buf_add(out, sql, (size_t)(at - sql));
		if (quote_identifier(out, schema, err))
			return -1;
	}
	buf_add_text(out, sql);
	return buf_check(out, err);
}

/* Tables that shapes leave out: the configured adapter's, or all adapters'. */
static int list_history_names(struct snapshot *snapshot, struct err *err)
{
	const struct history_adapter *const *adapters = history_adapters();
	const char *wanted = snapshot->conf->history, *names = "{";

	for (size_t i = 0; adapters[i]; i++) {
		const char *table = adapters[i]->table;
		const char *quoted = arena_format(snapshot->arena, err, "\"%s\"", table);
		if (!quoted)
			return -1;
		if ((strcmp(wanted, "auto") != 0 && strcmp(wanted, adapters[i]->name) != 0) ||
			strstr(names, quoted))
			continue;
		names = arena_format(snapshot->arena, err, "%s%s%s", names, names[1] ? "," : "", quoted);
		if (!names)
			return -1;
	}
	snapshot->history_names = arena_format(snapshot->arena, err, "%s}", names);
	return snapshot->history_names ? 0 : -1;
}

static int read_server(struct snapshot *snapshot, struct err *err)
{
	struct rows *rows = NULL;
	int rc = -1;

	if (session_rows(
			snapshot->session, sql_snapshot_server, 0, NULL, SNAPSHOT_TIMEOUT_MS, &rows, err))
		return -1;
	if (rows_count(rows) != 1 || rows_columns(rows) != 5) {
		err_set(err, ERR_BUG, "snapshot_server.sql gave no single row");
	} else {
		snapshot->system_identifier = arena_text(snapshot->arena, rows_text(rows, 0, 0), err);
		snapshot->database = arena_text(snapshot->arena, rows_text(rows, 0, 1), err);
		snapshot->database_oid = rows_int64(rows, 0, 2);
		snapshot->role = arena_text(snapshot->arena, rows_text(rows, 0, 3), err);
		snapshot->server = arena_text(snapshot->arena, rows_text(rows, 0, 4), err);
		rc = err->code == ERR_NONE ? 0 : -1;
	}
	rows_free(rows);
	return rc;
}

/* Few fit into the hint, on its one line; more are the caller's to print. */
static int missing_grants(const struct snapshot *snapshot, struct err *err)
{
	char lines[560] = "";

	if (buf_check(snapshot->grants, err))
		return -1;
	err_set(err, ERR_UNFIT, "role %s lacks %zu permission%s that a snapshot needs", snapshot->role,
		snapshot->missing, snapshot->missing == 1 ? "" : "s");
	if (snapshot->missing > SNAPSHOT_GRANTS_IN_HINT)
		return err_hint(err, "as the owner, run the GRANT lines above");
	snprintf(lines, sizeof lines, "%s", buf_text(snapshot->grants));
	for (char *at = lines; (at = strchr(at, '\n')); at++)
		*at = at[1] ? ' ' : '\0';
	return err_hint(err, "as the owner, run: %s", lines);
}

static int take(struct snapshot *snapshot, struct snapshot_result *result, struct err *err)
{
	int64_t there = 0;

	if (list_history_names(snapshot, err) ||
		session_open(snapshot->options->session, &snapshot->session, err) ||
		snapshot_begin(snapshot->session, NULL, err))
		return -1;
	snapshot->taken_us = clock_now_us();
	if (session_value(snapshot->session, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL,
			SNAPSHOT_TIMEOUT_MS, &snapshot->snapshot_id, err) ||
		read_server(snapshot, err) || snapshot_list_tenants(snapshot, err) ||
		snapshot_find_schemas(snapshot, err))
		return -1;
	if (snapshot->missing)
		return missing_grants(snapshot, err);
	for (size_t i = 0; i < snapshot->units; i++)
		there += snapshot->unit[i].oid != 0;
	progress_start(&snapshot->progress, snapshot->options->progress_stream,
		snapshot->options->progress_mode, "reading schemas", there);
	snapshot->progress_shown = true;
	if (snapshot_read_digests(snapshot, err) ||
		snapshot_read_texts(snapshot, &result->shapes, &result->states, err))
		return -1;
	return snapshot_store(snapshot, err);
}

static void summarise(const struct snapshot *snapshot, struct snapshot_result *result)
{
	for (size_t i = 0; i < snapshot->units; i++) {
		const struct snapshot_unit *unit = &snapshot->unit[i];
		result->schemas += unit->oid != 0;
		result->tenants += unit->oid != 0 && unit->scope == SCOPE_TENANT;
		result->listed += unit->scope == SCOPE_TENANT;
		result->orphans += unit->scope == SCOPE_ORPHAN;
	}
	result->problems = snapshot->problems;
	for (size_t i = 0; i < snapshot->problems; i++)
		buf_add_format(&result->notes, "%s\n", snapshot->problem[i].message);
}

int snapshot_take(const struct snapshot_options *options, struct db *bundle,
	struct snapshot_result *result, struct err *err)
{
	struct snapshot snapshot = { .options = options, .conf = options->conf, .bundle = bundle };
	int rc = -1;

	memset(result, 0, sizeof *result);
	buf_init(&result->notes, LINES_MAX_BYTES);
	buf_init(&result->grants, LINES_MAX_BYTES);
	snapshot.grants = &result->grants;
	snapshot.arena = arena_new(ARENA_MAX_BYTES);
	if (!snapshot.arena)
		return err_nomem(err);
	rc = take(&snapshot, result, err);
	result->missing = snapshot.missing;
	if (rc == 0)
		summarise(&snapshot, result);
	if (snapshot.progress_shown)
		progress_end(&snapshot.progress);
	session_close(snapshot.session);
	free(snapshot.snapshot_id);
	arena_free(snapshot.arena);
	return rc;
}

void snapshot_release(struct snapshot_result *result)
{
	buf_release(&result->notes);
	buf_release(&result->grants);
}
