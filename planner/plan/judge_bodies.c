/*
 * What can be told of text that the parser does not look into: bodies of DO blocks and functions,
 * statements that it does not know. Finds words, wherever they stand, and understands none of them.
 */
#include "judge.h"

#include <string.h>
#include <strings.h>

const char *judge_body_word(const struct sql_statement *statement)
{
	if (statement->category == SQL_OPAQUE)
		return "a statement that the parser does not know";
	return statement->category == SQL_DO ? "a DO block" : "a function body";
}

/* Body number n; an opaque statement is its own. NULL: no more. */
static const char *body(const struct sql_statement *statement, size_t n)
{
	if (n < statement->bodies)
		return statement->body[n];
	return n == statement->bodies && statement->category == SQL_OPAQUE ? statement->text : NULL;
}

bool judge_mentions(const struct sql_statement *statement, const char *word)
{
	const char *text;

	for (size_t i = 0; (text = body(statement, i)) != NULL; i++)
		if (statement_mentions(text, word))
			return true;
	return false;
}

static bool is_word_byte(char c)
{
	return strchr("_$", c) ? c != '\0'
			       : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
					 (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The word that ends in front of text[at] behind blanks, compared in any case. */
static bool follows(const char *text, size_t at, const char *word)
{
	size_t len = strlen(word);

	while (at > 0 && is_blank(text[at - 1]))
		at--;
	return at >= len && strncasecmp(text + at - len, word, len) == 0 &&
	       (at == len || !is_word_byte(text[at - len - 1]));
}

/* first and second as words with nothing but blanks between them. */
static bool has_pair(const char *text, const char *first, const char *second)
{
	size_t len = strlen(second);

	for (const char *at = text; (at = strcasestr(at, second)) != NULL; at++)
		if (at > text && is_blank(at[-1]) && !is_word_byte(at[len]) &&
		    follows(text, (size_t)(at - text), first))
			return true;
	return false;
}

const char *judge_session_word(const struct sql_statement *statement)
{
	static const char *const words[] = { "search_path", "set_config", "session_authorization",
					     "session_replication_role" };
	static const struct {
		const char *first, *second, *says;
	} pairs[] = {
		{ "set", "role", "SET ROLE" },
		{ "local", "role", "SET ROLE" },
		{ "session", "role", "SET ROLE" },
		{ "reset", "role", "RESET ROLE" },
		{ "reset", "all", "RESET ALL" },
		{ "session", "authorization", "SESSION AUTHORIZATION" },
	};
	const char *text;

	for (size_t i = 0; (text = body(statement, i)) != NULL; i++) {
		for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
			if (statement_mentions(text, words[w]))
				return words[w];
		for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++)
			if (has_pair(text, pairs[p].first, pairs[p].second))
				return pairs[p].says;
	}
	return NULL;
}
