/*
 * What can be told of text that the parser does not look into: bodies of DO blocks and functions,
 * statements that it does not know. Finds words, wherever they stand, and understands none of them.
 */
#include "judge.h"

#include <stdio.h>
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

struct lacking {
	const struct judge *judge;
	const struct sql_statement *statement;
	const char *name; /* the first by name */
};

static bool see_lacking(void *context, const struct world_object *object)
{
	struct lacking *lacking = context;

	if (object->space == WORLD_RELATION &&
	    !world_find(lacking->judge->world, WORLD_RELATION, object->name) &&
	    (!lacking->name || strcmp(object->name, lacking->name) < 0) &&
	    judge_mentions(lacking->statement, object->name))
		lacking->name = object->name;
	return true;
}

/* The name in front of the dot at text[dot], as written and without quotes; false: none. */
static bool name_before(const char *text, size_t dot, char name[200], bool *quoted)
{
	size_t end = dot, start;

	while (end > 0 && is_blank(text[end - 1]))
		end--;
	*quoted = end > 0 && text[end - 1] == '"';
	end -= *quoted;
	for (start = end; start > 0; start--)
		if (*quoted ? text[start - 1] == '"' : !is_word_byte(text[start - 1]))
			break;
	return start < end && snprintf(name, 200, "%.*s", (int)(end - start), text + start) < 200;
}

static bool name_behind(const char *text, size_t dot, char name[200], bool *quoted)
{
	size_t start = dot + 1, end;

	while (is_blank(text[start]))
		start++;
	*quoted = text[start] == '"';
	start += *quoted;
	for (end = start; text[end]; end++)
		if (*quoted ? text[end] == '"' : !is_word_byte(text[end]))
			break;
	return start < end && snprintf(name, 200, "%.*s", (int)(end - start), text + start) < 200;
}

static void fold(char *name)
{
	for (; *name; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name + 32);
}

/* What stands around one dot; MENTION_NONE: nothing of interest. */
static enum judge_mention qualified(const struct judge *judge, const char *text, size_t dot,
				    char name[200])
{
	char behind[200];
	bool quoted;

	if (!name_before(text, dot, name, &quoted))
		return MENTION_NONE;
	if (!quoted)
		fold(name);
	if (judge->is_tenant(judge->is_tenant_context, name))
		return MENTION_TENANT;
	if (judge->shared || !judge->other || strcmp(name, judge->shared_schema) != 0 ||
	    !name_behind(text, dot, behind, &quoted))
		return MENTION_NONE;
	if (!quoted)
		fold(behind);
	snprintf(name, 200, "%s", behind);
	return world_find(judge->other, WORLD_RELATION, behind) ? MENTION_SHARED : MENTION_NONE;
}

static enum judge_mention in_text(const struct judge *judge, const char *text, char name[200])
{
	enum judge_mention found = MENTION_NONE;
	char shared[200] = "";

	for (const char *dot = text; (dot = strchr(dot, '.')) != NULL; dot++) {
		enum judge_mention here = qualified(judge, text, (size_t)(dot - text), name);

		if (here == MENTION_TENANT)
			return here;
		if (here == MENTION_SHARED && found == MENTION_NONE) {
			found = here;
			snprintf(shared, sizeof shared, "%s", name);
		}
	}
	snprintf(name, 200, "%s", shared);
	return found;
}

enum judge_mention judge_mention(const struct judge *judge, const struct sql_statement *statement,
				 char name[200])
{
	struct lacking lacking = { judge, statement, NULL };
	const struct conf_list *only = judge->foreign->only;
	const char *text;

	if (!body(statement, 0))
		return MENTION_NONE;
	for (size_t i = 0; i < only->count; i++)
		if (judge_mentions(statement, only->items[i])) {
			snprintf(name, 200, "%s", only->items[i]);
			return MENTION_ONLY;
		}
	if (!judge->shared && judge->other)
		world_each(judge->other, see_lacking, &lacking);
	if (lacking.name) {
		snprintf(name, 200, "%s", lacking.name);
		return MENTION_LACKING;
	}
	for (size_t i = 0; (text = body(statement, i)) != NULL; i++) {
		enum judge_mention found = in_text(judge, text, name);

		if (found != MENTION_NONE)
			return found;
	}
	return MENTION_NONE;
}
