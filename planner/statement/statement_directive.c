/*
 * Directives: which comments are one, what they say, and to what they belong. The parser hands a
 * trailing comment to the statement behind it, so placing them is done here, by lines.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include "statement_directive.h"
#include "statement_lex.h"

#define WORD "pgdocket"

struct reading {
	struct arena *arena;
	const struct directive_file *from;
	struct err *err;
	int line;
};

/* One directive's parts go to `to`; probe goes to `probe_to`, which may be another. */
struct receiver {
	struct sql_directives *to, *probe_to;
};

int directive_line(const struct directive_file *from, size_t offset)
{
	int line = from->first_line;
	const char *at = from->text, *end = from->text + offset;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		line++;
		at++;
	}
	return line;
}

static int complain(const struct reading *r, const char *what, const char *detail, size_t len,
		    const char *hint)
{
	int shown = len < 200 ? (int)len : 200;

	err_set(r->err, ERR_PLAN, "%s, line %d: %s%s%.*s%s", r->from->name, r->line, what,
		len ? " \"" : "", shown, detail, len ? "\"" : "");
	return err_hint(r->err, "%s", hint);
}

#define KNOWN \
	"known are scope=shared|tenant|all, transaction=off, probe=SELECT ..., idempotent, " \
	"keep-session, " \
	"accept=RULE reason"

/* --- what a directive says --- */

static const char *copy_trimmed(const struct reading *r, const char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		len--;
	return arena_copy(r->arena, text, len, r->err);
}

static int read_scope(const struct reading *r, const char *value, size_t len,
		      struct sql_directives *to)
{
	static const struct {
		const char *word;
		enum sql_scope scope;
	} scopes[] = { { "shared", SQL_SCOPE_SHARED },
		       { "tenant", SQL_SCOPE_TENANT },
		       { "all", SQL_SCOPE_ALL } };

	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		if (strlen(scopes[i].word) != len || memcmp(scopes[i].word, value, len) != 0)
			continue;
		if (to->scope != SQL_SCOPE_NONE && to->scope != scopes[i].scope)
			return complain(r, "a second scope directive says otherwise", value, len,
					"keep one of them");
		to->scope = scopes[i].scope;
		return 0;
	}
	return complain(r, "scope is shared, tenant or all, not", value, len, KNOWN);
}

static int read_probe(const struct reading *r, const char *value, size_t len,
		      struct sql_directives *to)
{
	const char *probe = copy_trimmed(r, value, len);

	if (!probe)
		return -1;
	if (strncasecmp(probe, "select", 6) != 0 || lex_identifier_byte(probe[6]))
		return complain(
			r, "a probe is a SELECT of one boolean, not", value, len,
			"write -- pgdocket: probe=SELECT ... (true: the statement has been done)");
	if (to->probe)
		return complain(r, "a second probe for one statement", "", 0, "keep one of them");
	to->probe = probe;
	return 0;
}

static int read_accept(const struct reading *r, const char *value, size_t len,
		       struct sql_directives *to)
{
	size_t rule = 0;
	struct sql_accept *more;

	while (rule < len && value[rule] != ' ' && value[rule] != '\t' && value[rule] != '\r')
		rule++;
	more = arena_array(r->arena, to->accepts + 1, sizeof *more, r->err);
	if (!more)
		return -1;
	if (to->accepts)
		memcpy(more, to->accept, to->accepts * sizeof *more);
	more[to->accepts].rule = arena_copy(r->arena, value, rule, r->err);
	more[to->accepts].reason = copy_trimmed(r, value + rule, len - rule);
	if (!more[to->accepts].rule || !more[to->accepts].reason)
		return -1;
	if (!rule || !*more[to->accepts].reason)
		return complain(r, "accept names a rule and a reason, not", value, len,
				"write -- pgdocket: accept=RULE and, behind a blank, why it is "
				"accepted here");
	to->accept = more;
	to->accepts++;
	return 0;
}

/* One word; *rest is set to the line's end by those that take the rest of the line. */
static int read_word(const struct reading *r, const char *word, size_t len, const char **rest,
		     const char *end, const struct receiver *receiver)
{
	static const struct {
		const char *word;
		size_t flag;
	} flags[] = { { "transaction=off", offsetof(struct sql_directives, transaction_off) },
		      { "idempotent", offsetof(struct sql_directives, idempotent) },
		      { "keep-session", offsetof(struct sql_directives, keep_session) } };

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (strlen(flags[i].word) != len || memcmp(flags[i].word, word, len) != 0)
			continue;
		*(bool *)(void *)((char *)receiver->to + flags[i].flag) = true;
		return 0;
	}
	if (len > 6 && memcmp(word, "scope=", 6) == 0)
		return read_scope(r, word + 6, len - 6, receiver->to);
	if (len >= 6 && memcmp(word, "probe=", 6) == 0) {
		*rest = end;
		return read_probe(r, word + 6, (size_t)(end - word) - 6, receiver->probe_to);
	}
	if (len >= 7 && memcmp(word, "accept=", 7) == 0) {
		*rest = end;
		return read_accept(r, word + 7, (size_t)(end - word) - 7, receiver->to);
	}
	return complain(r, "unknown directive", word, len, KNOWN);
}

static bool separates(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

static int read_directive(const struct reading *r, const char *at, const char *end,
			  const struct receiver *receiver)
{
	bool any = false;

	for (;;) {
		const char *word;
		while (at < end && separates(*at))
			at++;
		if (at == end)
			break;
		word = at;
		while (at < end && !separates(*at))
			at++;
		any = true;
		if (read_word(r, word, (size_t)(at - word), &at, end, receiver))
			return -1;
	}
	return any ? 0 : complain(r, "an empty directive", "", 0, KNOWN);
}

/* --- which comments are directives --- */

/* Behind "pgdocket:" in a comment, or NULL. *malformed: it looks like one, and is not. */
static const char *directive_text(const char *comment, size_t len, bool *malformed)
{
	static const char *const words[] = { "scope=",     "transaction=", "probe=",
					     "idempotent", "keep-session", "accept=" };
	const char *at = comment + 2, *end = comment + len;

	*malformed = false;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if ((size_t)(end - at) < sizeof WORD - 1 || strncasecmp(at, WORD, sizeof WORD - 1) != 0)
		return NULL;
	*malformed = memcmp(at, WORD, sizeof WORD - 1) != 0;
	at += sizeof WORD - 1;
	if (at < end && *at == ':') {
		*malformed = *malformed || comment[0] == '/';
		return at + 1;
	}
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at < end && *at == ':') {
		*malformed = true;
		return at + 1;
	}
	*malformed = false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((size_t)(end - at) >= strlen(words[i]) &&
		    memcmp(at, words[i], strlen(words[i])) == 0)
			*malformed = true;
	return NULL;
}

/* --- to what they belong --- */

/* No blank line in [from, to). */
static bool touching(const char *text, size_t from, size_t to)
{
	bool empty = false; /* nothing but blanks since a newline */

	for (size_t i = from; i < to; i++) {
		if (text[i] == '\n' && empty)
			return false;
		if (text[i] == '\n')
			empty = true;
		else if (!strchr(" \t\r\f\v", text[i]))
			empty = false;
	}
	return true;
}

static bool alone_on_line(const char *text, size_t at)
{
	while (at > 0 && strchr(" \t\r", text[at - 1]))
		at--;
	return at == 0 || text[at - 1] == '\n';
}

static bool no_newline(const char *text, size_t from, size_t to)
{
	return from >= to || !memchr(text + from, '\n', to - from);
}

static int belongs_to_nothing(const struct reading *r)
{
	return complain(r, "this directive belongs to no statement", "", 0,
			"write it on the line above a statement, behind it where it ends, or at "
			"the file's top");
}

/*
 * Of the file: before the first statement, and in the comment at the very top or with a blank line
 * below it.
 */
static void place_above(const struct directive_file *from, const struct lex_token *comment,
			size_t next, const struct directive_place *place, struct sql_file *file,
			struct receiver *out)
{
	const char *text = from->text;
	bool touches = next < file->statements && touching(text, comment->end, place[next].first);
	size_t top = strspn(text, " \t\r\n\f\v");

	if (next == 0 && (!touches || touching(text, top, comment->start))) {
		out->to = out->probe_to = &file->directives;
		if (touches)
			out->probe_to = &file->statement[0].directives;
	} else if (touches) {
		out->to = out->probe_to = &file->statement[next].directives;
	}
}

/*
 * *next: the first statement that begins behind the comment. out->to stays NULL when it belongs to
 * nothing.
 */
static int find_receiver(const struct reading *r, const struct lex_token *comment,
			 const struct directive_place *place, struct sql_file *file, size_t *next,
			 struct receiver *out)
{
	const char *text = r->from->text;
	size_t before;

	while (*next < file->statements && place[*next].first < comment->start)
		++*next;
	before = *next - 1; /* only looked at when there is one */
	if (*next > 0 && comment->start < place[before].last)
		return complain(r, "a directive inside a statement", "", 0,
				"write it on the line above the statement");
	if (alone_on_line(text, comment->start)) {
		place_above(r->from, comment, *next, place, file, out);
	} else if (*next > 0) {
		size_t end = place[before].semicolon < comment->start ? place[before].semicolon
								      : place[before].last;
		if (no_newline(text, place[before].last, comment->start) ||
		    no_newline(text, end, comment->start))
			out->to = out->probe_to = &file->statement[before].directives;
	}
	return out->to ? 0 : belongs_to_nothing(r);
}

int directive_read(struct arena *arena, const struct directive_file *from,
		   const struct directive_place *place, struct sql_file *file, struct err *err)
{
	struct lex lex = { from->text, from->len, 0 };
	struct reading r = { arena, from, err, 0 };
	struct lex_token token;
	size_t next = 0;

	if (!memmem(from->text, from->len, WORD, sizeof WORD - 1) && !strcasestr(from->text, WORD))
		return 0;
	while (lex_next(&lex, &token)) {
		struct receiver receiver = { NULL, NULL };
		const char *text;
		bool malformed;
		if (token.kind != LEX_LINE_COMMENT && token.kind != LEX_BLOCK_COMMENT)
			continue;
		text = directive_text(from->text + token.start, token.end - token.start,
				      &malformed);
		if (!text && !malformed)
			continue;
		r.line = directive_line(from, token.start);
		if (malformed)
			return complain(
				&r, "a malformed directive", from->text + token.start,
				token.end - token.start,
				"write -- pgdocket: and, behind the colon, what it says; " KNOWN);
		if (find_receiver(&r, &token, place, file, &next, &receiver) ||
		    read_directive(&r, text, from->text + token.end, &receiver))
			return -1;
	}
	return 0;
}
