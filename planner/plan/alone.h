/*
 * Statements that cannot run in a transaction, or are asked not to: how it is told afterwards
 * whether one was done (PROTOCOL.md, Non-transactional segments).
 */
#ifndef PGDOCKET_ALONE_H
#define PGDOCKET_ALONE_H

#include "document.h"
#include "statement.h"

/* What is known of a statement without being told. */
enum alone_knowledge {
	ALONE_UNKNOWN, /* a directive must say it */
	ALONE_AGAIN,   /* it may be run again, whatever became of it */
	ALONE_PROBE    /* the catalog tells */
};
enum alone_knowledge alone_known(const struct sql_statement *statement);

/*
 * The one SELECT of a probe directive, or NULL in *out with *why (in the arena). Any other failure
 * is an error.
 */
int alone_parse_probe(struct arena *arena, const char *probe, const struct sql_statement **out,
		      const char **why, struct err *err) MUST_CHECK;
/*
 * What a segment needs to send the statement. A probe directive comes before what is known; what is
 * known of indexes made or dropped and partitions comes before idempotent, which may be the file's.
 */
int alone_make(struct arena *arena, const struct sql_statement *statement,
	       const struct sql_directives *file, struct doc_alone *out,
	       struct err *err) MUST_CHECK;

#endif
