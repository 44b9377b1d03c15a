/*
 * Planning: from a snapshot's classes, a configuration and the migrations to the plan document and
 * the statement that people sign. Works on what it is given, never on a server; the same input
 * gives the same document, byte for byte.
 */
#ifndef PGDOCKET_PLAN_H
#define PGDOCKET_PLAN_H

#include "classes.h"
#include "conf.h"
#include "document.h"
#include "plan_statement.h"
#include "project.h"
#include "source.h"
#include "statement.h"

/* What the snapshot recorded beside its schemas, as far as a plan needs it. */
struct plan_fact {
	const char *name, *text;
};
struct plan_facts {
	size_t history_tables, problems, event_triggers;
	struct plan_fact *history_table; /* name: left out of every shape */
	struct plan_fact *problem;       /* rule, message */
	struct plan_fact *event_trigger; /* name, event */
};

struct plan_request {
	const struct conf *conf;
	const struct source *source;
	const struct class_set *set;    /* read against source */
	const struct plan_facts *facts; /* NULL: none known */
	enum sql_scope scope;           /* SQL_SCOPE_ALL by default */
	struct conf_list schemas;       /* globs; empty: all */
	struct conf_list excludes;      /* globs */
	const char *to;                 /* version, or NULL */
	const char *revert_to;          /* version or "none", or NULL */
	int revert;                     /* 0: this is no revert by number */
	bool skip_unfit;
};

#define PLAN_PROBLEMS_MAX 20

/* Why no plan can be made; all that were found, up to PLAN_PROBLEMS_MAX. */
struct plan_problem {
	const char *rule, *message, *hint;
	const char *file; /* NULL: not a file's */
	int line;
	const char *who; /* "tenant_a, tenant_b, tenant_c and 409 more", or NULL */
};

struct plan {
	struct arena *arena;
	struct document
		*document; /* as document_load would give it back, but for objects' stored sizes */
	size_t problems, problems_unsaid;
	struct plan_problem problem[PLAN_PROBLEMS_MAX];
	size_t pending_schemas; /* 0: nothing to do, and no document */
	size_t selected_schemas;
	size_t filtered;                  /* statements filtered, summed over programs */
	size_t originals, originals_room; /* texts before rewriting */
	struct plan_original {
		struct digest digest;
		const char *text;
		size_t len;
	} * original;
	const struct plan_request *request;
};

/*
 * ERR_USAGE: a version or glob of the request that fits nothing. Problems are not errors: see
 * problems, and then nothing but them is to be used.
 */
int plan_make(const struct plan_request *request, struct plan **out, struct err *err) MUST_CHECK;
void plan_free(struct plan *plan); /* NULL is fine */

/* What only the statement says, and the document does not. */
struct plan_terms {
	int64_t created_us, not_before_us, expires_us;
	const char *ticket; /* NULL: none */
};

/*
 * Write the plan into a bundle being edited: migrations, objects, document, statement; rows and
 * objects of an earlier plan and migrations that nothing names any more are removed. *id is the
 * plan id.
 */
int plan_store(struct plan *plan, struct db *edit, const struct plan_terms *terms,
	       struct plan_statement *statement, struct digest *id, struct err *err) MUST_CHECK;

struct plan_inputs {
	struct project project;
	struct class_set *set;
	struct plan_facts facts; /* in the project's arena */
};

/*
 * The project as project_open finds it, and the snapshot read against it. ERR_CONFIG: the
 * configuration is for another label, it does not agree with the snapshot's on what the tenants
 * are, or there are no migrations. Nothing is to be released after a failure.
 */
int plan_inputs_load(struct db *bundle, const char *config, struct plan_inputs *out,
		     struct err *err) MUST_CHECK;
void plan_inputs_release(struct plan_inputs *inputs);

#endif
