/*
 * The snapshot of a bundle, read once and grouped: all schemas of one scope, state and shape are
 * one class. What status shows and what planning starts from. Reads the bundle alone, never a
 * server.
 */
#ifndef PGDOCKET_CLASSES_H
#define PGDOCKET_CLASSES_H

#include "db.h"
#include "digest.h"
#include "history.h"
#include "shape.h"
#include "statement.h"

/* A row of the table target: what was snapshotted, when. Texts live in the set's arena. */
struct classes_target {
	const char *label, *system_identifier, *database, *shared_schema;
	int64_t database_oid, taken_us;
	int server_version;                 /* 150018 */
	struct digest configuration, facts; /* objects of these kinds */
};

enum classes_scope { SCOPE_SHARED, SCOPE_TENANT, SCOPE_ORPHAN };

/* A row of the table schema. */
struct classes_schema {
	const char *name;
	enum classes_scope scope;
	bool listed, active;
	int64_t oid;         /* 0: listed, but not there */
	const char *history; /* adapter's name; NULL: no history table */
	int class_index;     /* -1: not there */
	int64_t tables, rows, bytes;
};

/* One distinct shape. */
struct classes_shape {
	struct digest digest;
	const char *text;
	size_t len;
	const struct shape *shape;
	size_t schemas; /* that have it, in any scope and state */
};

/*
 * One class. Classes stand in the order shared, tenant, orphan; then newest state, then most
 * schemas first.
 */
struct classes_class {
	enum classes_scope scope;
	struct digest state_digest;
	const char *state_text;
	size_t state_len;
	struct history_state state; /* against the source given to classes_read */
	/* Per migration of the source: for this scope and not applied, in order or not */
	bool *pending;
	size_t pending_count;
	const struct classes_shape *shape;
	/*
	 * The shape of most schemas in this scope and state; ties: the shape with more schemas in
	 * all, then the smaller digest.
	 */
	const struct classes_shape *usual;
	bool drift; /* shape is not usual */
	size_t schemas, active;
	const int *schema; /* indexes into class_set.schema, by name */
};

struct class_set {
	struct arena *arena;
	struct classes_target target;
	size_t schemas, shapes, classes;
	struct classes_schema *schema; /* by name */
	struct classes_shape *shape;   /* by digest */
	struct classes_class *class;
	const struct classes_shape *shared_shape; /* NULL: no shared schema in the snapshot */
	/* Per migration of the source: its file's directive; SQL_SCOPE_NONE when there is none. */
	enum sql_scope *migration_scope;
	const char *facts; /* JSON text of the facts object */
	size_t facts_len;
};

/*
 * source: borrowed; must outlive the set. May have no migrations: then nothing is pending and
 * every recorded one is unknown. ERR_FORMAT: no target (not a snapshot), or rows or objects that
 * do not fit together.
 */
int classes_read(struct db *bundle, const struct source *source, struct class_set **out,
		 struct err *err) MUST_CHECK;
void classes_free(struct class_set *set); /* NULL is fine */
/*
 * By its file's directive; shared migrations are not for tenants (nor orphans) and the other way
 * round.
 */
bool classes_migration_is_for(const struct class_set *set, size_t migration,
			      enum classes_scope scope);
/* Index into set->schema, or -1. */
int classes_find(const struct class_set *set, const char *name);
/* The configuration that the bundle carries: malloced text and NUL. */
int classes_configuration(struct db *bundle, const struct class_set *set, char **text, size_t *len,
			  struct err *err) MUST_CHECK;

#endif
