/*
 * A scanner that knows strings, quotes and comments of SQL, for what the parser does not say:
 * where comments stand, where a statement ends that does not parse, and whether a tree would be
 * too deep to build. Assumes standard_conforming_strings.
 */
#include <string.h>
#include <strings.h>
#include "statement_lex.h"

bool lex_identifier_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/*
 * Behind the closing quote; the opening one stands at `at`. Doubled quotes, and with escapes
 * backslashes, go on.
 */
static size_t quoted_end(const struct lex *lex, size_t at, bool escapes)
{
	char quote = lex->text[at++];

	while (at < lex->len) {
		char c = lex->text[at++];
		if (c == '\\' && escapes)
			at++;
		else if (c == quote && (at >= lex->len || lex->text[at] != quote))
			return at;
		else if (c == quote)
			at++;
	}
	return lex->len;
}

/* 'a' newline 'b' is one string, and stays in the first one's kind. */
static size_t string_end(const struct lex *lex, size_t at, bool escapes)
{
	for (;;) {
		size_t end = quoted_end(lex, at, escapes);
		bool newline = false;
		at = end;
		while (at < lex->len && blank(lex->text[at])) {
			newline = newline || lex->text[at] == '\n';
			at++;
		}
		if (!newline || at >= lex->len || lex->text[at] != '\'')
			return end;
	}
}

/* Behind $tag$ ... $tag$; 0 when no dollar quote begins at `at`. */
static size_t dollar_end(const struct lex *lex, size_t at)
{
	const char *text = lex->text, *found;
	size_t tag = at + 1;

	if (tag < lex->len && text[tag] >= '0' && text[tag] <= '9')
		return 0;
	while (tag < lex->len && lex_identifier_byte(text[tag]) && text[tag] != '$')
		tag++;
	if (tag >= lex->len || text[tag] != '$')
		return 0;
	tag++;
	found = memmem(text + tag, lex->len - tag, text + at, tag - at);
	return found ? (size_t)(found - text) + (tag - at) : lex->len;
}

static size_t block_comment_end(const struct lex *lex, size_t at)
{
	size_t depth = 0;

	while (at + 1 < lex->len) {
		if (lex->text[at] == '/' && lex->text[at + 1] == '*') {
			depth++;
			at += 2;
		} else if (lex->text[at] == '*' && lex->text[at + 1] == '/') {
			at += 2;
			if (--depth == 0)
				return at;
		} else {
			at++;
		}
	}
	return lex->len;
}

static size_t word_end(const struct lex *lex, size_t at)
{
	while (at < lex->len && lex_identifier_byte(lex->text[at]))
		at++;
	return at;
}

static void next_word(struct lex *lex, struct lex_token *token)
{
	size_t end = word_end(lex, token->start);

	token->kind = LEX_WORD;
	if (end - token->start == 1 && (lex->text[token->start] | 0x20) == 'e' && end < lex->len &&
	    lex->text[end] == '\'') {
		token->kind = LEX_STRING;
		end = string_end(lex, end, true);
	}
	token->end = end;
}

static void next_other(struct lex *lex, struct lex_token *token)
{
	static const char singles[] = ";(),";
	static const enum lex_kind kinds[] = { LEX_SEMICOLON, LEX_OPEN, LEX_CLOSE, LEX_COMMA };
	const char *found = strchr(singles, lex->text[token->start]);
	size_t end = lex->text[token->start] == '$' ? dollar_end(lex, token->start) : 0;

	token->kind = found ? kinds[found - singles] : end ? LEX_STRING : LEX_OTHER;
	token->end = end ? end : token->start + 1;
}

bool lex_next(struct lex *lex, struct lex_token *token)
{
	const char *text = lex->text;
	char c, next;

	while (lex->at < lex->len && blank(text[lex->at]))
		lex->at++;
	if (lex->at >= lex->len)
		return false;
	token->start = lex->at;
	c = text[lex->at];
	next = lex->at + 1 < lex->len ? text[lex->at + 1] : '\0';
	if (c == '-' && next == '-') {
		const char *newline = memchr(text + lex->at, '\n', lex->len - lex->at);
		token->kind = LEX_LINE_COMMENT;
		token->end = newline ? (size_t)(newline - text) : lex->len;
	} else if (c == '/' && next == '*') {
		token->kind = LEX_BLOCK_COMMENT;
		token->end = block_comment_end(lex, lex->at);
	} else if (c == '\'') {
		token->kind = LEX_STRING;
		token->end = string_end(lex, lex->at, false);
	} else if (c == '"') {
		token->kind = LEX_QUOTED;
		token->end = quoted_end(lex, lex->at, false);
	} else if (c != '$' && lex_identifier_byte(c)) {
		next_word(lex, token);
	} else {
		next_other(lex, token);
	}
	if (token->end > lex->len)
		token->end = lex->len;
	lex->at = token->end;
	return true;
}

bool lex_next_code(struct lex *lex, struct lex_token *token)
{
	while (lex_next(lex, token))
		if (token->kind != LEX_LINE_COMMENT && token->kind != LEX_BLOCK_COMMENT)
			return true;
	return false;
}

bool lex_is(const struct lex *lex, const struct lex_token *token, const char *word)
{
	size_t len = strlen(word);

	return token->kind == LEX_WORD && token->end - token->start == len &&
	       strncasecmp(lex->text + token->start, word, len) == 0;
}

size_t lex_statement_end(const char *text, size_t len, size_t from)
{
	struct lex lex = { text, len, from };
	struct lex_token token;
	size_t parentheses = 0, blocks = 0;
	bool begin = false;

	while (lex_next_code(&lex, &token)) {
		if (token.kind == LEX_SEMICOLON && parentheses == 0 && blocks == 0)
			return token.start;
		parentheses += token.kind == LEX_OPEN;
		parentheses -= token.kind == LEX_CLOSE && parentheses > 0;
		if (begin && lex_is(&lex, &token, "atomic"))
			blocks++;
		else if (blocks > 0 && lex_is(&lex, &token, "case"))
			blocks++;
		else if (blocks > 0 && lex_is(&lex, &token, "end"))
			blocks--;
		begin = lex_is(&lex, &token, "begin");
	}
	return len;
}

/*
 * Tokens since something last made siblings, per level of parentheses; what only ever nests is
 * never forgotten.
 */
#define LEVELS 64
struct chain {
	size_t level, links[LEVELS], sets[LEVELS];
};

static void chain_add(struct chain *chain, const struct lex *lex, const struct lex_token *token)
{
	static const char *const siblings[] = { "and", "or", "when" };
	static const char *const sets[] = { "union", "intersect", "except", "join" };
	size_t *links = &chain->links[chain->level], *nested = &chain->sets[chain->level];

	if (token->kind == LEX_COMMA || token->kind == LEX_SEMICOLON)
		*links = 0;
	++*links;
	if (token->kind != LEX_WORD)
		return;
	for (size_t i = 0; i < sizeof siblings / sizeof *siblings; i++)
		if (lex_is(lex, token, siblings[i]))
			*links = 0;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		*nested += lex_is(lex, token, sets[i]);
}

static size_t chain_depth(const struct chain *chain)
{
	size_t depth = 0;

	for (size_t i = 0; i <= chain->level; i++)
		depth += chain->links[i] + chain->sets[i];
	return depth;
}

void lex_measure(const char *text, size_t from, size_t to, struct lex_extent *out)
{
	struct lex lex = { text, to, from };
	struct lex_token token;
	struct chain chain = { 0 };
	size_t open = 0, depth;

	out->first = out->last = from;
	out->depth = 0;
	while (lex_next_code(&lex, &token)) {
		if (out->last == from)
			out->first = token.start;
		out->last = token.end;
		chain_add(&chain, &lex, &token);
		if (token.kind == LEX_OPEN && ++open < LEVELS) {
			chain.level = open;
			chain.links[open] = chain.sets[open] = 0;
		} else if (token.kind == LEX_CLOSE && open > 0 && --open < LEVELS - 1) {
			depth = chain_depth(&chain);
			out->depth = depth > out->depth ? depth : out->depth;
			chain.links[open] += chain.links[chain.level] + chain.sets[chain.level];
			chain.level = open;
		} else if (chain.links[chain.level] % 256 == 0) {
			depth = chain_depth(&chain);
			out->depth = depth > out->depth ? depth : out->depth;
		}
	}
	depth = chain_depth(&chain);
	out->depth = depth > out->depth ? depth : out->depth;
}
