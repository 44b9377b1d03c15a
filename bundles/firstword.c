/* The first-word check of PROTOCOL.md: the last look at a statement before it may be sent. Not a
 * lexer: it finds the first word as the server would, and knows the few words that control
 * transactions, sessions or the protocol itself. */
#include "document.h"
#include <string.h>
#include "text.h"

static const char *const firstword_refused[] = { "BEGIN", "START", "COMMIT", "END", "ROLLBACK",
	"ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "COPY", "RESET", "DISCARD", "LISTEN", "NOTIFY",
	NULL };
/* What may follow SET: it ends with the transaction. */
static const char *const firstword_set[] = { "LOCAL", "CONSTRAINTS", NULL };

static size_t firstword_skip_comment(const char *text, size_t len, size_t at)
{
	if (text[at] == '-') {
		while (at < len && text[at] != '\n' && text[at] != '\r')
			at++;
		return at;
	}
	size_t depth = 0;
	while (at + 1 < len) {
		bool opens = text[at] == '/' && text[at + 1] == '*',
			 closes = text[at] == '*' && text[at + 1] == '/';
		depth += opens;
		depth -= closes;
		at += opens || closes ? 2 : 1;
		if (depth == 0)
			return at;
	}
	return len;
}

static size_t firstword_skip(const char *blanks, const char *text, size_t len, size_t at)
{
	while (at < len) {
		bool comment = at + 1 < len &&
			((text[at] == '-' && text[at + 1] == '-') || (text[at] == '/' && text[at + 1] == '*'));
		if (comment)
			at = firstword_skip_comment(text, len, at);
		else if (strchr(blanks, text[at]) && text[at])
			at++;
		else
			break;
	}
	return at;
}

static bool firstword_letter(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* The word in upper case; returns where it ends. Quoted names and operators give an empty word. */
static size_t firstword_take(const char *text, size_t len, size_t at, char word[32])
{
	size_t used = 0;
	for (; at < len && firstword_letter((unsigned char)text[at]); at++)
		if (used < 31)
			word[used++] = text[at] >= 'a' && text[at] <= 'z' ? (char)(text[at] - 'a' + 'A')
															  : text[at];
	word[used] = '\0';
	return at;
}

bool document_first_word_refused(const char *text, size_t len, char word[32])
{
	char second[32];
	size_t at = firstword_take(text, len, firstword_skip(" \t\n\r\f\v;", text, len, 0), word);
	if (strcmp(word, "SET") != 0)
		return text_among(firstword_refused, word);
	firstword_take(text, len, firstword_skip(" \t\n\r\f\v", text, len, at), second);
	return !text_among(firstword_set, second);
}
