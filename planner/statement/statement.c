/*
 * The facade: checks a file's bytes, has it split, has every statement's tree read, and gives
 * directives their places. All of that runs in a thread with a large stack, since trees are as
 * deep as people write them. Prints nothing, reads no file.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "statement_collect.h"
#include "statement_directive.h"
#include "statement_lex.h"
#include "text.h"

#define TEXT_MAX_BYTES ((size_t)64 << 20)
#define COMMENT_OPENINGS_MAX \
	1000 /* in one run of operator characters: the parser's time grows with their square */

struct job {
	struct arena *arena;
	struct directive_file from;
	char *text; /* a copy of from.text that may be written to */
	struct tree *tree;
	struct directive_place *place;
	struct sql_file *file;
	struct err *err;
	size_t counted; /* lines are counted up to here ... */
	int line;       /* ... where this line begins or goes on */
	int rc;
};

/* --- bytes --- */

static int bad_bytes(const struct directive_file *from, size_t at, const char *what,
		     const char *hint, struct err *err)
{
	err_set(err, ERR_PLAN, "%s, line %d: %s", from->name, directive_line(from, at), what);
	return err_hint(err, "%s", hint);
}

/*
 * Runs like slash, star, slash, star ...: each opening makes the parser read the rest of the run
 * again.
 */
static bool endless_comment(const char *text, size_t len, size_t *at)
{
	size_t openings = 0;

	for (size_t i = 0; i + 1 < len; i++) {
		if (!memchr("~!@#^&|`?+-*/%<>=", text[i], 17))
			openings = 0;
		else if (text[i] == '/' && text[i + 1] == '*' &&
			 ++openings > COMMENT_OPENINGS_MAX) {
			*at = i;
			return true;
		}
	}
	return false;
}

static int check_bytes(const struct directive_file *from, struct err *err)
{
	const char *nul = memchr(from->text, '\0', from->len);
	size_t bad;

	if (from->len > TEXT_MAX_BYTES) {
		err_set(err, ERR_PLAN, "%s is larger than %zu MiB", from->name,
			TEXT_MAX_BYTES >> 20);
		return err_hint(
			err,
			"load data by other means than migrations, or cut the file in several");
	}
	if (from->len >= 3 && memcmp(from->text, "\xef\xbb\xbf", 3) == 0)
		return bad_bytes(from, 0, "begins with a byte order mark",
				 "save it as UTF-8 without BOM", err);
	if (nul)
		return bad_bytes(from, (size_t)(nul - from->text), "holds a NUL byte",
				 "save it as UTF-8 text", err);
	if (!text_utf8(from->text, from->len, &bad))
		return bad_bytes(from, bad, "is not valid UTF-8",
				 "convert it, for example with iconv -t UTF-8", err);
	if (endless_comment(from->text, from->len, &bad))
		return bad_bytes(from, bad, "comments are nested too deeply",
				 "take the inner comment marks out", err);
	return 0;
}

/* --- one statement --- */

/* Offsets only ever grow. */
static int line_at(struct job *job, size_t offset)
{
	const char *at = job->from.text + job->counted, *end = job->from.text + offset;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		job->line++;
		at++;
	}
	job->counted = offset;
	return job->line;
}

static int refuse(const struct sql_statement *s, const struct job *job, const char *what,
		  const char *hint)
{
	err_set(job->err, ERR_PLAN, "%s, line %d: %s", job->from.name, s->line, what);
	return err_hint(job->err, "%s", hint);
}

static int make_opaque(struct sql_statement *s, const char *why)
{
	s->category = SQL_OPAQUE;
	s->tag = NULL;
	s->kind = "opaque";
	s->opaque_why = why;
	return 0;
}

static int read_tree(struct job *job, struct sql_statement *s)
{
	struct collect c = { .arena = job->arena, .err = job->err, .out = s };
	const PgQuery__Node *node;
	const char *why;

	if (tree_parse(job->tree, job->arena, s->text, &node, &why, job->err))
		return -1;
	if (!node)
		return make_opaque(s, why);
	kinds_collect(&c, node);
	if (c.failed)
		return -1;
	if (!s->kind)
		s->kind = "other";
	if (c.copies_inline)
		return refuse(s, job, "COPY FROM STDIN needs data that a migration cannot carry",
			      "write INSERT statements, or load the data by other means");
	return 0;
}

static int read_statement(struct job *job, const struct tree_piece *piece,
			  const struct lex_extent *extent, struct sql_statement *s)
{
	s->offset = extent->first;
	s->len = extent->last - extent->first;
	s->line = line_at(job, extent->first);
	s->end_line = line_at(job, extent->last - 1);
	s->text = arena_copy(job->arena, job->from.text + s->offset, s->len, job->err);
	if (!s->text)
		return -1;
	if (piece->bad && *s->text == '\\')
		return refuse(s, job, "a psql meta-command",
			      "only SQL can be planned; write what it does as SQL");
	if (piece->bad)
		return make_opaque(s, piece->bad);
	if (s->len > STATEMENT_TREE_MAX_BYTES)
		return make_opaque(s, "larger than 512 KiB, too large to look into");
	if (extent->depth > LEX_DEPTH_MAX)
		return make_opaque(s, "nested too deeply to look into");
	return read_tree(job, s);
}

static int read_statements(struct job *job, const struct tree_pieces *pieces)
{
	struct sql_file *file = job->file;

	file->statement = arena_array(job->arena, pieces->count, sizeof *file->statement, job->err);
	job->place = arena_array(job->arena, pieces->count, sizeof *job->place, job->err);
	if (!file->statement || !job->place)
		return -1;
	for (size_t i = 0; i < pieces->count; i++) {
		const struct tree_piece *piece = &pieces->piece[i];
		struct lex_extent extent;
		lex_measure(job->from.text, piece->start, piece->end, &extent);
		if (extent.first == extent.last)
			continue;
		job->place[file->statements] =
			(struct directive_place){ extent.first, extent.last, piece->end };
		if (read_statement(job, piece, &extent, &file->statement[file->statements]))
			return -1;
		file->statements++;
	}
	return 0;
}

static void *run(void *argument)
{
	struct job *job = argument;
	struct tree_pieces pieces = { 0, 0, NULL };

	job->rc = -1;
	if (tree_split(job->arena, job->text, job->from.len, &pieces, job->err) == 0 &&
	    read_statements(job, &pieces) == 0)
		job->rc = directive_read(job->arena, &job->from, job->place, job->file, job->err);
	return NULL;
}

/* --- the whole --- */

static int run_in_thread(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed = pthread_attr_init(&attributes);

	if (failed)
		return err_nomem(job->err);
	failed = pthread_attr_setstacksize(&attributes, TREE_STACK_BYTES);
	if (!failed)
		failed = pthread_create(&thread, &attributes, run, job);
	pthread_attr_destroy(&attributes);
	if (failed) {
		err_set(job->err, ERR_NOMEM,
			"no thread with %zu MiB of stack could be made for the parser",
			TREE_STACK_BYTES >> 20);
		return err_hint(job->err, "raise the limit on address space (ulimit -v)");
	}
	pthread_join(thread, NULL);
	return job->rc;
}

int statement_parse_file(struct arena *arena, const char *name, const char *text, size_t len,
			 int first_line, struct sql_file **out, struct err *err)
{
	struct job job = { .arena = arena,
			   .from = { name, text, len, first_line },
			   .err = err,
			   .line = first_line };
	int rc = -1;

	if (check_bytes(&job.from, err))
		return -1;
	job.file = arena_alloc(arena, sizeof *job.file, err);
	if (!job.file)
		return -1;
	job.text = malloc(len + 1);
	job.tree = tree_new();
	if (!job.text || !job.tree) {
		err_nomem(err);
		goto out;
	}
	memcpy(job.text, text, len);
	job.text[len] = '\0';
	job.from.text = job.text; /* NUL-terminated, unlike what the caller gave */
	rc = run_in_thread(&job);
	if (rc == 0)
		*out = job.file;
out:
	tree_free(job.tree);
	free(job.text);
	return rc;
}

bool statement_mentions(const char *body, const char *identifier)
{
	size_t len = strlen(identifier);

	if (len == 0)
		return false;
	for (const char *at = body; (at = strcasestr(at, identifier)) != NULL; at++)
		if ((at == body || !lex_identifier_byte(at[-1])) && !lex_identifier_byte(at[len]))
			return true;
	return false;
}

/* --- SET as SET LOCAL --- */

static int cannot_be_local(const struct sql_statement *statement, struct err *err)
{
	err_set(err, ERR_PLAN, "line %d: %.200s cannot be limited to the migration",
		statement->line, statement->text);
	return err_hint(err,
			"take it out of the migration, or set it for the role or the database");
}

/* SELECT set_config(..., false): the last word, when it says false, becomes true. */
static int set_config_local(struct arena *arena, const struct sql_statement *statement,
			    const char **out, struct err *err)
{
	struct lex lex = { statement->text, statement->len, 0 };
	struct lex_token token, last = { LEX_OTHER, 0, 0 };

	while (lex_next_code(&lex, &token))
		if (token.kind == LEX_WORD)
			last = token;
	if (!lex_is(&lex, &last, "false"))
		return cannot_be_local(statement, err);
	*out = arena_format(arena, err, "%.*strue%s", (int)last.start, statement->text,
			    statement->text + last.end);
	return *out ? 0 : -1;
}

int statement_set_local(struct arena *arena, const struct sql_statement *statement,
			const char **out, struct err *err)
{
	struct lex lex = { statement->text, statement->len, 0 };
	struct lex_token set, second, third;
	size_t rest;

	*out = statement->text;
	if (statement->set_local)
		return 0;
	if (statement->category != SQL_SET || !lex_next_code(&lex, &set))
		return cannot_be_local(statement, err);
	if (lex_is(&lex, &set, "select"))
		return set_config_local(arena, statement, out, err);
	if (!lex_is(&lex, &set, "set") || !lex_next_code(&lex, &second) ||
	    !lex_next_code(&lex, &third))
		return cannot_be_local(statement, err);
	rest = second.start;
	if (lex_is(&lex, &second, "session") && lex_is(&lex, &third, "characteristics"))
		return cannot_be_local(statement, err);
	if (lex_is(&lex, &second, "session") && !lex_is(&lex, &third, "authorization"))
		rest = third.start;
	*out = arena_format(arena, err, "%.*s LOCAL %s", (int)set.end, statement->text,
			    statement->text + rest);
	return *out ? 0 : -1;
}
