/*
 * The only file that calls libpg_query. Splits with the parser; where it refuses a statement, that
 * statement alone is cut out by the scanner and carried with the parser's message. Trees live in
 * memory that is reused from one to the next.
 */
#include <stdlib.h>
#include <string.h>
#include "statement_lex.h"
#include "statement_tree.h"

static int add_piece(struct arena *arena, struct tree_pieces *pieces, size_t start, size_t end,
		     const char *bad, struct err *err)
{
	if (pieces->count == pieces->capacity) {
		size_t capacity = pieces->capacity ? pieces->capacity * 2 : 32;
		struct tree_piece *more = arena_array(arena, capacity, sizeof *more, err);
		if (!more)
			return -1;
		if (pieces->count)
			memcpy(more, pieces->piece, pieces->count * sizeof *more);
		pieces->piece = more;
		pieces->capacity = capacity;
	}
	pieces->piece[pieces->count++] = (struct tree_piece){ start, end, bad };
	return 0;
}

/* Byte offset of the parser's position, which counts characters from 1; 0 stands for the end. */
static size_t byte_position(const char *text, size_t from, size_t len, int position)
{
	if (position <= 0)
		return len;
	for (position--; from < len && position > 0; position--) {
		from++;
		while (from < len && ((unsigned char)text[from] & 0xc0) == 0x80)
			from++;
	}
	return from;
}

/*
 * Pieces of [from, to), whose end is a NUL in the text. *error: copy of the parser's message in
 * the arena, or NULL.
 */
static int split_range(struct arena *arena, const char *text, size_t from, size_t to,
		       struct tree_pieces *out, const char **error, size_t *position,
		       struct err *err)
{
	PgQuerySplitResult result = pg_query_split_with_parser(text + from);
	int rc = 0;

	*error = NULL;
	if (result.error) {
		*position = byte_position(text, from, to, result.error->cursorpos);
		*error = arena_text(
			arena, result.error->message ? result.error->message : "does not parse",
			err);
		rc = *error ? 0 : -1;
	} else {
		for (int i = 0; rc == 0 && i < result.n_stmts; i++) {
			size_t start = from + (size_t)result.stmts[i]->stmt_location;
			rc = add_piece(arena, out, start, start + (size_t)result.stmts[i]->stmt_len,
				       NULL, err);
		}
	}
	pg_query_free_split_result(result);
	return rc;
}

/* The statement around position as the scanner sees it. */
static void find_bad(const char *text, size_t len, size_t from, size_t position, size_t *start,
		     size_t *end)
{
	*start = from;
	*end = lex_statement_end(text, len, from);
	while (*end < position && *end < len) {
		*start = *end + 1;
		*end = lex_statement_end(text, len, *start);
	}
}

/*
 * Cut the bad statement out; what stands before it is known to parse, unless scanner and parser
 * disagree.
 */
static int carry_bad(struct arena *arena, char *text, size_t from, size_t start, size_t end,
		     const char *error, struct tree_pieces *out, struct err *err)
{
	const char *again = NULL;
	size_t position, kept = out->count;
	char saved = text[start];
	int rc = 0;

	if (start > from) {
		text[start] = '\0';
		rc = split_range(arena, text, from, start, out, &again, &position, err);
		text[start] = saved;
		if (again) {
			out->count = kept;
			start = from;
		}
	}
	return rc ? rc : add_piece(arena, out, start, end, error, err);
}

int tree_split(struct arena *arena, char *text, size_t len, struct tree_pieces *out,
	       struct err *err)
{
	size_t from = 0;

	while (from < len) {
		const char *error;
		size_t position = 0, start, end;
		if (split_range(arena, text, from, len, out, &error, &position, err))
			return -1;
		if (!error)
			return 0;
		find_bad(text, len, from, position, &start, &end);
		if (carry_bad(arena, text, from, start, end, error, out, err))
			return -1;
		from = end + 1;
	}
	return 0;
}

/* --- one tree --- */

#define BLOCK_BYTES ((size_t)1 << 20)

struct block {
	struct block *next;
	size_t size, used;
	max_align_t bytes[];
};

struct tree {
	struct block *first; /* the newest; all of them are emptied or freed by the next tree */
	ProtobufCAllocator allocator;
};

static void *pool_alloc(void *data, size_t size)
{
	struct tree *tree = data;
	struct block *block = tree->first;
	size_t aligned =
		(size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	char *out;

	if (aligned < size)
		return NULL;
	if (!block || block->size - block->used < aligned) {
		size_t room = aligned > BLOCK_BYTES ? aligned : BLOCK_BYTES;
		block = malloc(sizeof *block + room);
		if (!block)
			return NULL;
		*block = (struct block){ tree->first, room, 0 };
		tree->first = block;
	}
	out = (char *)block->bytes + block->used;
	block->used += aligned;
	return out;
}

static void pool_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

/* Empty the pool, keeping one block. */
static void pool_clear(struct tree *tree)
{
	while (tree->first && tree->first->next) {
		struct block *gone = tree->first;
		tree->first = gone->next;
		free(gone);
	}
	if (tree->first)
		tree->first->used = 0;
}

struct tree *tree_new(void)
{
	struct tree *tree = calloc(1, sizeof *tree);

	if (tree)
		tree->allocator = (ProtobufCAllocator){ pool_alloc, pool_free, tree };
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	pool_clear(tree);
	free(tree->first);
	free(tree);
}

int tree_parse(struct tree *tree, struct arena *arena, const char *text, const PgQuery__Node **out,
	       const char **why, struct err *err)
{
	PgQueryProtobufParseResult result = pg_query_parse_protobuf(text);
	PgQuery__ParseResult *parsed = NULL;
	int rc = 0;

	*out = NULL;
	*why = NULL;
	pool_clear(tree);
	if (result.error) {
		*why = arena_text(arena,
				  result.error->message ? result.error->message : "does not parse",
				  err);
		rc = *why ? 0 : -1;
	} else {
		parsed = pg_query__parse_result__unpack(&tree->allocator, result.parse_tree.len,
							(const uint8_t *)result.parse_tree.data);
		if (!parsed)
			rc = err_nomem(err);
		else if (parsed->n_stmts == 1 && parsed->stmts[0]->stmt)
			*out = parsed->stmts[0]->stmt;
		else
			*why = "does not parse as one statement";
	}
	pg_query_free_protobuf_parse_result(result);
	return rc;
}

/* All members of the union are pointers to messages. */
const ProtobufCMessage *tree_inner(const PgQuery__Node *node)
{
	if (!node || node->node_case == PG_QUERY__NODE__NODE__NOT_SET)
		return NULL;
	return &node->range_var->base;
}
