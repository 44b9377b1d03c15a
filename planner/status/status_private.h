/* What the text and the JSON of a status have in common. */
#ifndef PGDOCKET_STATUS_PRIVATE_H
#define PGDOCKET_STATUS_PRIVATE_H

#include "status.h"

/*
 * Tables that have no business in schemas of this scope, by configuration; the class's shape may
 * hold some.
 */
const struct conf_list *status_foreign(const struct status *status, enum classes_scope scope);
/* The next index >= from into that list of a relation that the class has, or -1. */
int status_next_stray(const struct status *status, const struct classes_class *class, int from);
/* The newest applied version, "-" when none is. */
const char *status_newest(const struct status *status, const struct classes_class *class);
/* Visit the problems among the facts: rule, schema, message. */
typedef int status_problem_visitor(void *context, const char *rule, const char *schema,
				   const char *message, struct err *err);
int status_problems(const struct status *status, status_problem_visitor *visit, void *context,
		    struct err *err) MUST_CHECK;
/*
 * The class and the schema of this name; ERR_USAGE when there is none. *class NULL: listed, but
 * without a schema.
 */
int status_find(const struct status *status, const char *name, const struct classes_schema **schema,
		const struct classes_class **class, struct err *err) MUST_CHECK;

enum status_mark { MARK_APPLIED, MARK_PENDING, MARK_OUT_OF_ORDER, MARK_DIRTY, MARK_OTHER_SCOPE };
enum status_mark status_mark(const struct status *status, const struct classes_class *class,
			     size_t migration);

/* How a shape differs from another: what only one of them has, or has otherwise. */
enum status_change { CHANGE_MORE, CHANGE_LESS, CHANGE_OTHER };
struct status_difference {
	enum status_change change;
	const struct shape_object *object;
};
/* Up to room differences; the return value counts all of them. */
size_t status_compare(const struct shape *shape, const struct shape *usual,
		      struct status_difference *out, size_t room);

#endif
