/*
 * libpg_query, as the other files of planner/statement/ use it: statements cut apart, and one
 * statement's parse tree. To be called in a thread with a large stack (TRAPS.md 19).
 */
#ifndef PGDOCKET_STATEMENT_TREE_H
#define PGDOCKET_STATEMENT_TREE_H

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include "arena.h"

#define TREE_STACK_BYTES ((size_t)256 << 20)

/* A statement as it stands in the text: without its ';', with the comments and blanks around it. */
struct tree_piece {
	size_t start, end;
	const char *bad; /* the parser's message when it does not parse; else NULL */
};

struct tree_pieces {
	size_t count, capacity;
	struct tree_piece *piece;
};

/* text: writable, len bytes and a NUL; unchanged on return. */
int tree_split(struct arena *arena, char *text, size_t len, struct tree_pieces *out,
	       struct err *err) MUST_CHECK;

struct tree;                 /* memory of one tree at a time */
struct tree *tree_new(void); /* NULL: out of memory */
void tree_free(struct tree *tree);
/*
 * text: NUL-terminated. *out is valid until the next call; NULL with *why (in the arena) when it
 * does not parse as one statement.
 */
int tree_parse(struct tree *tree, struct arena *arena, const char *text, const PgQuery__Node **out,
	       const char **why, struct err *err) MUST_CHECK;

/* The message inside a node, whatever its type; NULL when there is none. */
const ProtobufCMessage *tree_inner(const PgQuery__Node *node);

#endif
