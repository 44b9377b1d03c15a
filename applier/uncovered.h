/* Tenants that the target lists and the plan's snapshot does not know: made since. */
#ifndef PGDOCKET_UNCOVERED_H
#define PGDOCKET_UNCOVERED_H

#include "document.h"
#include "session.h"

#define UNCOVERED_SHOWN 5

struct uncovered {
	size_t count;
	char *names; /* the first UNCOVERED_SHOWN, separated by commas; the caller frees; NULL: none */
};

/*
 * Runs the plan's tenants query in a read-only transaction. bundle: its tables hold the snapshot.
 */
int uncovered_find(struct session *session, const struct document *document, struct db *bundle,
	struct uncovered *out, struct err *err) MUST_CHECK;

#endif
