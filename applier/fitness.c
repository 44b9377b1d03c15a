/*
 * What is wrong in the target, for `check`, which tells all of it, and for `run`, which begins
 * nothing while the target is not fit: questions whose rows are findings, asked over the control
 * session. Nothing is changed here, and no schema's state or structure is looked at.
 */
#include "applier.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "sql.h"
#include "text.h"

#define SHOWN 20 /* findings of one kind, one behind the other */
#define NAMES_SHOWN 5

/* --- findings --- */

void findings_add(struct findings *findings, const char *kind, const char *text, const char *hint)
{
	if (strcmp(kind, "info") != 0 && strcmp(kind, "note") != 0)
		*(strcmp(kind, "unfit") == 0 ? &findings->unfit : &findings->refused) += 1;
	if (strcmp(kind, findings->kind) != 0 || hint)
		findings_end(findings);
	snprintf(findings->kind, sizeof findings->kind, "%s", kind);
	if (hint || findings->alike++ < SHOWN)
		findings->show(findings, kind, text, hint);
}

void findings_end(struct findings *findings)
{
	char text[48];
	if (findings->alike > SHOWN) {
		snprintf(text, sizeof text, "and %d more", findings->alike - SHOWN);
		findings->show(findings, findings->kind, text, NULL);
	}
	findings->alike = 0;
}

void findings_error(struct findings *findings, struct err *found)
{
	findings_add(findings, found->code == ERR_REFUSED ? found->reason : "unfit", found->message,
		found->hint[0] ? found->hint : NULL);
	err_clear(found);
}

/* The question's rows are findings; check_target.sql describes the columns. */
static int ask(
	struct findings *findings, const char *sql, struct err *err, const char *format, ...)
{
	struct rows *rows = NULL;
	va_list values;
	va_start(values, format);
	int rc = ask_rows_list(findings->run->control, sql, &rows, err, format, values);
	va_end(values);
	for (int i = 0; i < rows_count(rows); i++)
		findings_add(findings, rows_text(rows, i, 0), rows_text(rows, i, 1), rows_text(rows, i, 2));
	findings_end(findings);
	rows_free(rows);
	return rc;
}

int fitness_target(struct findings *findings, struct err *err)
{
	const struct run *run = findings->run;
	const struct document *d = run->document;
	return ask(findings, sql_check_target, err, "ttninn", d->system_identifier, d->database,
			   d->database_oid, d->server_version, clock_now_us(),
			   trust_policy(run->trust)->max_clock_skew_ms) ||
			ask(findings, sql_check_ledger, err, "")
		? -1
		: 0;
}

/* --- tenants made since the snapshot --- */

/* Those among rows that the bundle's snapshot does not know: how many, and the first names. */
static int compare_tenants(
	const struct run *run, const struct rows *rows, int *count, struct buf *names, struct err *err)
{
	const struct document *d = run->document;
	struct db_query *query = NULL;
	int rc = db_prepare(bundle_db(run->verified.bundle), sql_work_knows_schema, &query, err);
	for (int i = 0; i < rows_count(rows) && !rc; i++) {
		const char *name = rows_text(rows, i, 0);
		bool known = false;
		if (!name || (d->tenants_pattern && !text_glob(d->tenants_pattern, name)))
			continue;
		db_reset(query);
		db_bind_int64(query, 1, d->target_number);
		db_bind_text(query, 2, name);
		rc = db_step(query, &known, err);
		if (!known && (*count)++ < NAMES_SHOWN)
			buf_add_format(names, "%s%s", names->len ? ", " : "", name);
	}
	db_finish(query);
	return rc;
}

/* By the tenants query of the plan, in a read-only transaction: what it calls is not ours. */
static int find_uncovered(struct findings *findings, struct err *err)
{
	const struct run *run = findings->run;
	const struct document *d = run->document;
	struct buf names = BUF_INIT(8192);
	struct rows *rows = NULL;
	char text[1200];
	int count = 0, rc = 0;
	if (!d->tenants_query && !d->tenants_pattern)
		return 0;
	if (ask_run(run->control, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", err, ""))
		return -1;
	if (ask_rows(run->control, d->tenants_query ? d->tenants_query : sql_uncovered_schemas, &rows,
			err, "")) {
		err_context(err, "the tenants query");
		findings_error(findings, err);
	} else {
		rc = compare_tenants(run, rows, &count, &names, err);
	}
	rc = rc || ask_run(run->control, "ROLLBACK", err, "");
	snprintf(text, sizeof text, "%d tenants made since the snapshot are not covered: %s%s", count,
		buf_text(&names), count > NAMES_SHOWN ? " ..." : "");
	if (count && !rc)
		findings_add(findings, trust_policy(run->trust)->uncovered_refuse ? "uncovered" : "note",
			text, "plan again from a new snapshot to cover them");
	rows_free(rows);
	buf_release(&names);
	return rc ? -1 : 0;
}

/* --- what the plan needs --- */

/* Statements of the largest segment; alone: whether any stands outside of transactions. */
static int64_t largest_segment(const struct document *document, bool *alone)
{
	size_t most = 0;
	for (size_t i = 0; i < document->programs; i++)
		for (size_t k = 0; k < document->program[i].segments; k++) {
			const struct doc_segment *segment = &document->program[i].segment[k];
			*alone = *alone || !segment->transactional;
			most = segment->statements > most ? segment->statements : most;
		}
	return (int64_t)most;
}

int fitness_plan(struct findings *findings, struct err *err)
{
	enum { NAMES, OIDS, CLASSES, PATH, HISTORY, ARRAYS };
	const struct run *run = findings->run;
	const struct document *d = run->document;
	struct buf array[ARRAYS];
	bool alone = false;
	int64_t statements = largest_segment(d, &alone);
	int rc = 0, jobs = run->workers ? run->workers : run->options.jobs;
	for (int i = 0; i < ARRAYS; i++)
		buf_init(&array[i], 4u << 20);
	for (const struct task *task = run->task; task < run->task + run->tasks; task++)
		if (task->state != TASK_DONE) {
			ask_array_text(&array[NAMES], task->schema->name);
			ask_array_number(&array[OIDS], task->oid);
			ask_array_number(&array[CLASSES], task->class->number);
		}
	for (size_t i = 0; i < d->paths; i++)
		ask_array_text(&array[PATH], d->path[i]);
	for (size_t i = 0; i < d->history_tables; i++)
		ask_array_text(&array[HISTORY], d->history_table[i]);
	for (int i = 0; i < ARRAYS; i++) {
		ask_array_end(&array[i]);
		rc = rc || buf_check(&array[i], err);
	}
	const char *names = buf_text(&array[NAMES]), *oids = buf_text(&array[OIDS]),
			   *path = buf_text(&array[PATH]);
	rc = rc ||
		ask(findings, sql_check_access, err, "tttt", names, oids, path,
			buf_text(&array[HISTORY])) ||
		ask(findings, sql_check_planted, err, "tt", oids, path) ||
		ask(findings, sql_check_triggers, err, "") ||
		ask(findings, sql_check_capacity, err, "tint", oids, jobs, statements,
			buf_text(&array[CLASSES])) ||
		ask(findings, sql_check_server, err, "ii", jobs, d->server_version) ||
		ask(findings, sql_check_holders, err, "tt", oids, alone ? "true" : "false") ||
		find_uncovered(findings, err);
	for (int i = 0; i < ARRAYS; i++)
		buf_release(&array[i]);
	return rc ? -1 : 0;
}
