/*
 * What the catalog says of each schema before any is read: is it there, may we use it, how big is
 * it, which history table has it. Four queries, however many schemas. Finds orphans, and
 * everything that a GRANT must still allow.
 */
#include <stdlib.h>
#include <string.h>
#include "snapshot_private.h"
#include "sql.h"

static int compare_name(const void *key, const void *unit)
{
	return strcmp(key, ((const struct snapshot_unit *)unit)->name);
}

static struct snapshot_unit *find_listed(struct snapshot *snapshot, const char *name)
{
	return snapshot->listed ? bsearch(name, snapshot->unit, snapshot->listed,
								  sizeof *snapshot->unit, compare_name)
							: NULL;
}

/*
 * Every schema that is there becomes a unit: shared, listed, or (if a history table turns up) an
 * orphan.
 */
static int take_namespaces(struct snapshot *snapshot, const struct rows *rows, struct err *err)
{
	for (int i = 0; i < rows_count(rows); i++) {
		const char *name = rows_text(rows, i, 1);
		struct snapshot_unit *unit = find_listed(snapshot, name);
		if (strcmp(name, SNAPSHOT_LEDGER) == 0 || snapshot_unaddressable(name))
			continue;
		if (!unit) {
			unit = snapshot_add_unit(snapshot, name, err);
			if (!unit)
				return -1;
			unit->scope =
				strcmp(name, snapshot->conf->shared_schema) == 0 ? SCOPE_SHARED : SCOPE_ORPHAN;
			unit->active = unit->scope == SCOPE_SHARED;
		}
		unit->oid = rows_int64(rows, i, 0);
		unit->usable = rows_bool(rows, i, 2);
	}
	return 0;
}

static int by_oid(const void *a, const void *b)
{
	const struct snapshot_unit *x = a, *y = b;

	return (x->oid > y->oid) - (x->oid < y->oid);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct snapshot_unit *)a)->name, ((const struct snapshot_unit *)b)->name);
}

static struct snapshot_unit *find_oid(struct snapshot *snapshot, int64_t oid)
{
	struct snapshot_unit key = { .oid = oid };

	return bsearch(&key, snapshot->unit, snapshot->units, sizeof key, by_oid);
}

static void take_sizes(struct snapshot *snapshot, const struct rows *rows)
{
	for (int i = 0; i < rows_count(rows); i++) {
		struct snapshot_unit *unit = find_oid(snapshot, rows_int64(rows, i, 0));
		if (!unit)
			continue;
		unit->tables = rows_int64(rows, i, 1);
		unit->rows = rows_int64(rows, i, 2);
		unit->bytes = rows_int64(rows, i, 3);
	}
}

static int take_histories(struct snapshot *snapshot, const struct rows *rows, struct err *err)
{
	const char *wanted = snapshot->conf->history;

	for (int i = 0; i < rows_count(rows); i++) {
		struct snapshot_unit *unit = find_oid(snapshot, rows_int64(rows, i, 0));
		const char *table = rows_text(rows, i, 2), *columns = rows_text(rows, i, 4);
		const struct history_adapter *adapter = history_recognise(table, columns ? columns : "");
		if (!unit)
			continue;
		if (adapter && (strcmp(wanted, "auto") == 0 || strcmp(wanted, adapter->name) == 0)) {
			unit->adapter = adapter;
			unit->history_oid = rows_int64(rows, i, 1);
			unit->readable = rows_bool(rows, i, 3);
		} else if (unit->scope != SCOPE_ORPHAN &&
				   snapshot_add_problem(snapshot, "history", unit->name, err,
					   "%s.%s is not a history table of %s: its columns are %s", unit->name, table,
					   strcmp(wanted, "auto") == 0 ? "a known tool" : wanted,
					   columns ? columns : "none")) {
			return -1;
		}
	}
	return 0;
}

/*
 * An orphan that may not be read is noted and left; what belongs to the fleet must be readable.
 * When the list of tenants itself may not be read, every schema with a history table may be one.
 */
static int check_permissions(struct snapshot *snapshot, struct err *err)
{
	bool tenants_known = snapshot->missing == 0;

	for (size_t i = 0; i < snapshot->units; i++) {
		struct snapshot_unit *unit = &snapshot->unit[i];
		if (!unit->adapter || (unit->usable && unit->readable))
			continue;
		if (unit->scope == SCOPE_ORPHAN && tenants_known) {
			unit->adapter = NULL;
			if (snapshot_add_problem(snapshot, "orphan", unit->name, err,
					"schema %s has a history table that may not be "
					"read, and is not listed",
					unit->name))
				return -1;
			continue;
		}
		if ((!unit->usable && snapshot_add_grant(snapshot, unit->name, NULL, err)) ||
			(!unit->readable &&
				snapshot_add_grant(snapshot, unit->name, unit->adapter->table, err)))
			return -1;
	}
	return 0;
}

/*
 * Orphans are schemas with a history table; other schemas that nobody listed are none of our
 * business.
 */
static int keep_ours(struct snapshot *snapshot, struct err *err)
{
	bool shared = false;
	size_t kept = 0;

	for (size_t i = 0; i < snapshot->units; i++) {
		shared = shared || snapshot->unit[i].scope == SCOPE_SHARED;
		if (snapshot->unit[i].scope != SCOPE_ORPHAN || snapshot->unit[i].adapter)
			snapshot->unit[kept++] = snapshot->unit[i];
	}
	snapshot->units = kept;
	if (!shared) {
		err_set(err, ERR_UNFIT, "database %s has no schema %s, the shared one", snapshot->database,
			snapshot->conf->shared_schema);
		return err_hint(err, "[shared] schema names it; -d names the database");
	}
	qsort(snapshot->unit, kept, sizeof *snapshot->unit, by_name);
	return 0;
}

int snapshot_find_schemas(struct snapshot *snapshot, struct err *err)
{
	const char *names = snapshot->history_names;
	struct rows *namespaces = NULL, *sizes = NULL, *histories = NULL;
	int rc = -1;

	if (session_rows(snapshot->session, sql_snapshot_namespaces, 0, NULL, SNAPSHOT_TIMEOUT_MS,
			&namespaces, err) ||
		take_namespaces(snapshot, namespaces, err) ||
		session_rows(
			snapshot->session, sql_snapshot_sizes, 1, &names, SNAPSHOT_TIMEOUT_MS, &sizes, err) ||
		session_rows(snapshot->session, sql_snapshot_histories, 1, &names, SNAPSHOT_TIMEOUT_MS,
			&histories, err))
		goto out;
	if (snapshot->units)
		qsort(snapshot->unit, snapshot->units, sizeof *snapshot->unit, by_oid);
	take_sizes(snapshot, sizes);
	if (take_histories(snapshot, histories, err) || check_permissions(snapshot, err) ||
		keep_ours(snapshot, err))
		goto out;
	rc = 0;
out:
	rows_free(namespaces);
	rows_free(sizes);
	rows_free(histories);
	return rc;
}
