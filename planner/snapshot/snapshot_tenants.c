/*
 * The list of tenants: what the configured query answers, or which schemas fit the pattern.
 * Whatever is wrong with a row is noted and kept; no row is passed over in silence. Whether a
 * listed schema exists is found out elsewhere.
 */
#include <stdlib.h>
#include <string.h>
#include "snapshot_private.h"
#include "sql.h"
#include "statement.h"
#include "text.h"

#define NAME_MAX_BYTES 63

static bool is_reserved(const char *name)
{
	return text_starts(name, "pg_") || strcmp(name, "information_schema") == 0 ||
		   strcmp(name, SNAPSHOT_LEDGER) == 0;
}

/* Even in quotes a search_path reads this name as the schema that is named like the role. */
bool snapshot_unaddressable(const char *name)
{
	return strcmp(name, "$user") == 0;
}

/* Add one row of the list, or the problem with it. */
static int take_row(
	struct snapshot *snapshot, const char *name, bool active, int row, struct err *err)
{
	struct snapshot_unit *unit;

	if (!name)
		return snapshot_add_problem(snapshot, "null", "", err,
			"row %d of the tenants query has no schema name (NULL)", row);
	if (!*name)
		return snapshot_add_problem(snapshot, "empty", "", err,
			"row %d of the tenants query has an empty schema name", row);
	if (strlen(name) > NAME_MAX_BYTES)
		return snapshot_add_problem(snapshot, "long", name, err,
			"the tenants query lists %s, which is longer than 63 bytes", name);
	if (strcmp(name, snapshot->conf->shared_schema) == 0)
		return snapshot_add_problem(snapshot, "shared", name, err,
			"the tenants query lists %s, which is the shared schema", name);
	if (snapshot_unaddressable(name))
		return snapshot_add_problem(snapshot, "unaddressable", name, err,
			"the tenant %s is left out: in a search_path its name would mean the role's own schema",
			name);
	if (is_reserved(name))
		return snapshot_add_problem(snapshot, "reserved", name, err,
			"the tenants query lists %s, which is not a tenant's name to have", name);
	unit = snapshot_add_unit(snapshot, name, err);
	if (!unit)
		return -1;
	unit->scope = SCOPE_TENANT;
	unit->listed = true;
	unit->active = active;
	return 0;
}

static int wrong_query(struct err *err, const char *what)
{
	err_set(err, ERR_CONFIG, "the tenants query %s", what);
	return err_hint(
		err, "[tenants] query = SELECT name, active FROM ...: a text, and optionally a boolean");
}

static int take_rows(struct snapshot *snapshot, const struct rows *rows, struct err *err)
{
	int columns = rows_columns(rows);

	if (columns < 1 || columns > 2)
		return wrong_query(err, columns ? "returns more than two columns" : "returns no column");
	snapshot->active_column = columns == 2;
	for (int i = 0; i < rows_count(rows); i++) {
		const char *name = rows_text(rows, i, 0),
				   *active = columns == 2 ? rows_text(rows, i, 1) : "t";
		if (active && strcmp(active, "t") != 0 && strcmp(active, "f") != 0)
			return wrong_query(err, "has a second column that is not boolean");
		if (!active && name &&
			snapshot_add_problem(snapshot, "active", name, err,
				"the tenants query does not say whether %s is active "
				"(NULL); it counts as inactive",
				name))
			return -1;
		if (take_row(snapshot, name, active && *active == 't', i + 1, err))
			return -1;
	}
	return 0;
}

/* One relation that the query names: what it takes to read it. */
static int note_relation(
	struct snapshot *snapshot, const struct sql_object *object, struct err *err)
{
	const char *params[2] = { object->schema, object->name };
	struct rows *rows = NULL;
	int rc = session_rows(
		snapshot->session, sql_snapshot_readable, 2, params, SNAPSHOT_TIMEOUT_MS, &rows, err);

	if (rc == 0 && rows_count(rows) == 1 && !rows_bool(rows, 0, 0))
		rc = snapshot_add_grant(snapshot, object->schema, NULL, err);
	if (rc == 0 && rows_count(rows) == 1 && !rows_bool(rows, 0, 1))
		rc = snapshot_add_grant(snapshot, object->schema, object->name, err);
	rows_free(rows);
	return rc;
}

/* The server names only the first thing that is denied; the query itself names all of them. */
static int note_denied(struct snapshot *snapshot, const struct err *denied, struct err *err)
{
	const char *query = snapshot->conf->tenants_query;
	struct sql_file *file;

	if (statement_parse_file(
			snapshot->arena, "the tenants query", query, strlen(query), 1, &file, err))
		return -1;
	for (size_t i = 0; i < file->statements; i++)
		for (size_t j = 0; j < file->statement[i].objects; j++)
			if (file->statement[i].object[j].schema &&
				note_relation(snapshot, &file->statement[i].object[j], err))
				return -1;
	if (snapshot->missing)
		return 0;
	err_set(err, ERR_UNFIT, "the tenants query may not be run: %s", denied->message);
	return err_hint(err, "grant role %s what the query needs", snapshot->role);
}

static int failed_query(struct snapshot *snapshot, const struct err *failed, struct err *err)
{
	bool denied = strcmp(failed->sqlstate, "42501") == 0;

	if (!failed->sqlstate[0] || session_lost(snapshot->session)) {
		*err = *failed;
		return -1;
	}
	if (session_run(
			snapshot->session, "ROLLBACK TO SAVEPOINT tenants", 0, NULL, SNAPSHOT_TIMEOUT_MS, err))
		return -1;
	if (denied)
		return note_denied(snapshot, failed, err);
	*err = *failed;
	err->code = ERR_CONFIG;
	err_context(err, "the tenants query");
	err->hint[0] = '\0';
	return err_hint(err, "it runs read-only and with search_path = pg_catalog: write "
						 "public.tenants, not tenants");
}

static int run_query(struct snapshot *snapshot, struct err *err)
{
	struct err failed = ERR_INIT;
	struct rows *rows = NULL;
	int rc;

	if (session_run(snapshot->session, "SAVEPOINT tenants", 0, NULL, SNAPSHOT_TIMEOUT_MS, err))
		return -1;
	if (session_rows(snapshot->session, snapshot->conf->tenants_query, 0, NULL, SNAPSHOT_TIMEOUT_MS,
			&rows, &failed))
		return failed_query(snapshot, &failed, err);
	rc = take_rows(snapshot, rows, err);
	rows_free(rows);
	return rc;
}

/* Schemas that fit the pattern, but for the shared one and those that cannot be tenants. */
static int match_pattern(struct snapshot *snapshot, struct err *err)
{
	struct rows *rows = NULL;
	int rc = 0;

	if (session_rows(
			snapshot->session, sql_snapshot_namespaces, 0, NULL, SNAPSHOT_TIMEOUT_MS, &rows, err))
		return -1;
	for (int i = 0; rc == 0 && i < rows_count(rows); i++) {
		const char *name = rows_text(rows, i, 1);
		if (text_glob(snapshot->conf->tenants_pattern, name) && !is_reserved(name) &&
			strcmp(name, snapshot->conf->shared_schema) != 0)
			rc = take_row(snapshot, name, true, i + 1, err);
	}
	rows_free(rows);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_unit *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->active < y->active) - (x->active > y->active);
}

/* Sort; of a name that stands there several times one remains, active when one of them is. */
static int unite(struct snapshot *snapshot, struct err *err)
{
	size_t kept = 0;

	if (snapshot->units)
		qsort(snapshot->unit, snapshot->units, sizeof *snapshot->unit, by_name);
	for (size_t i = 0, next; i < snapshot->units; i = next) {
		const char *name = snapshot->unit[i].name;
		for (next = i + 1; next < snapshot->units && strcmp(snapshot->unit[next].name, name) == 0;)
			next++;
		if (next > i + 1 && snapshot_add_problem(snapshot, "duplicate", name, err,
								"the tenants query lists %s %zu times", name, next - i))
			return -1;
		snapshot->unit[kept++] = snapshot->unit[i];
	}
	snapshot->units = snapshot->listed = kept;
	return 0;
}

int snapshot_list_tenants(struct snapshot *snapshot, struct err *err)
{
	if (snapshot->conf->tenants_query ? run_query(snapshot, err) : match_pattern(snapshot, err))
		return -1;
	return unite(snapshot, err);
}
