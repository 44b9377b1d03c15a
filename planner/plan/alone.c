/*
 * A row per kind of statement that cannot run in a transaction and whose outcome can be told: the
 * probe, one .sql file each, and the verdicts it may give before. The document has no parameters,
 * so names are written into the probe's text as literals. Nothing here asks a server.
 */
#include "alone.h"

#include <stdio.h>
#include <string.h>
#include "making.h"
#include "quote.h"
#include "sql.h"
#include "text.h"

#define PROBE_MAX_BYTES (1u << 20)

static const struct row {
	const char *kind;
	const char *probe; /* NULL: it may be run again */
	const char *first; /* verdicts before it was begun */
	bool idempotent;   /* the directive of that name is believed rather than the probe */
} rows[] = {
	/* IF NOT EXISTS would take an invalid index for a success. */
	{ "CREATE INDEX CONCURRENTLY", sql_probe_create_index, "open", false },
	{ "CREATE UNIQUE INDEX CONCURRENTLY", sql_probe_create_index, "open", false },
	{ "DROP INDEX CONCURRENTLY", sql_probe_drop_index, "open", false },
	{ "ALTER TABLE DETACH PARTITION CONCURRENTLY", sql_probe_detach_partition, "open", false },
	{ "REINDEX INDEX CONCURRENTLY", sql_probe_reindex_index, "ready", true },
	{ "REINDEX TABLE CONCURRENTLY", sql_probe_reindex_table, "ready", true },
	{ "REINDEX SCHEMA", NULL, NULL, true },
	{ "REINDEX DATABASE", NULL, NULL, true },
	{ "REINDEX SYSTEM", NULL, NULL, true },
	{ "VACUUM", NULL, NULL, true },
	{ "CLUSTER", NULL, NULL, true },
};

static const struct row *find(const struct sql_statement *statement)
{
	if (!statement->non_transactional || !statement->kind)
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!strcmp(rows[i].kind, statement->kind))
			return &rows[i];
	return NULL;
}

enum alone_knowledge alone_known(const struct sql_statement *statement)
{
	const struct row *row = find(statement);

	if (!row)
		return ALONE_UNKNOWN;
	return row->probe ? ALONE_PROBE : ALONE_AGAIN;
}

int alone_parse_probe(struct arena *arena, const char *probe, const struct sql_statement **out,
		      const char **why, struct err *err)
{
	struct err failure = ERR_INIT;
	struct sql_file *file;

	*out = NULL;
	*why = "it is not one SELECT";
	if (statement_parse_file(arena, "probe", probe, strlen(probe), 1, &file, &failure)) {
		if (failure.code != ERR_PLAN) {
			*err = failure;
			return -1;
		}
		*why = arena_text(arena, failure.message, err);
		return *why ? 0 : -1;
	}
	if (file->statements == 1 && file->statement[0].category == SQL_OPAQUE)
		*why = file->statement[0].opaque_why;
	if (file->statements == 1 && file->statement[0].category == SQL_SELECT)
		*out = &file->statement[0];
	return 0;
}

/* The template with $1 and $2 replaced by the names as literals. */
static int fill(struct arena *arena, const char *template, const char *const name[2],
		const char **out, struct err *err)
{
	struct buf text = BUF_INIT(PROBE_MAX_BYTES);
	int result = -1;

	for (const char *at = template; *at; at++) {
		if (at[0] != '$' || (at[1] != '1' && at[1] != '2')) {
			buf_add_char(&text, *at);
			continue;
		}
		at++;
		if (quote_literal(&text, name[*at - '1'], err))
			goto out;
	}
	if (buf_check(&text, err) || !(*out = arena_copy(arena, text.data, text.len, err)))
		goto out;
	result = 0;
out:
	buf_release(&text);
	return result;
}

/* What it is about, for the ledger and for $1; the other name is $2. */
static void names_of(const struct sql_statement *statement, const char *name[2])
{
	const struct sql_object *object = statement->object;
	bool detach = statement->objects > 1 && object[0].kind != SQL_INDEX &&
		      object[1].use == SQL_TARGET && statement->kind &&
		      text_ends(statement->kind, "DETACH PARTITION CONCURRENTLY");

	name[0] = statement->objects ? object[detach].name : NULL;
	name[1] = detach ? object[0].name : statement->objects ? object[0].table : NULL;
	if (!name[0])
		name[0] = statement->kind ? statement->kind : "a statement";
	if (!name[1])
		name[1] = "";
}

/* The directive's SELECT of one boolean as a verdict; a newline ends a comment in it. */
static const char *wrapped(struct arena *arena, const struct sql_statement *probe, struct err *err)
{
	return arena_format(arena, err,
			    "SELECT CASE WHEN q.p THEN 'done' ELSE 'open' END, NULL "
			    "FROM (\n%s\n) AS q (p)",
			    probe->text);
}

int alone_make(struct arena *arena, const struct sql_statement *statement,
	       const struct sql_directives *file, struct doc_alone *out, struct err *err)
{
	const struct row *row = find(statement);
	const struct sql_statement *probe = NULL;
	bool again = statement->directives.idempotent || (file && file->idempotent);
	const char *name[2], *text = NULL, *why, *first = "open";

	names_of(statement, name);
	memset(out, 0, sizeof *out);
	out->object = name[0];
	if (statement->directives.probe) {
		if (alone_parse_probe(arena, statement->directives.probe, &probe, &why, err))
			return -1;
		if (!probe)
			return err_set(err, ERR_BUG, "a probe that is not one SELECT was let through");
		text = wrapped(arena, probe, err);
		if (!text)
			return -1;
	} else if (row && row->probe && !(row->idempotent && again)) {
		first = row->first;
		if (!strcmp(row->kind, "DROP INDEX CONCURRENTLY") && statement->object[0].missing_ok)
			first = "open|done";
		if (fill(arena, row->probe, name, &text, err))
			return -1;
	}
	if (!text)
		return 0;
	out->has_probe = true;
	return steps_text(arena, text, NULL, first, &out->probe, err);
}
