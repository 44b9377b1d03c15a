/*
 * Tokens of SQL text, as far as needed to know what is a comment and where a statement that does
 * not parse ends. Never decides what a statement means: that is the parser's.
 */
#ifndef PGDOCKET_STATEMENT_LEX_H
#define PGDOCKET_STATEMENT_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum lex_kind {
	LEX_WORD,   /* keyword, identifier or number */
	LEX_QUOTED, /* "identifier" */
	LEX_STRING, /* 'text', E'text', $tag$text$tag$ */
	LEX_SEMICOLON,
	LEX_OPEN,  /* ( */
	LEX_CLOSE, /* ) */
	LEX_COMMA,
	LEX_OTHER,        /* one byte of anything else */
	LEX_LINE_COMMENT, /* without its newline */
	LEX_BLOCK_COMMENT
};

struct lex {
	const char *text;
	size_t len, at;
};

struct lex_token {
	enum lex_kind kind;
	size_t start, end; /* an unterminated string or comment ends with the text */
};

/* The next token, blanks skipped; false at the end. */
bool lex_next(struct lex *lex, struct lex_token *token);
/* The same, comments skipped too. */
bool lex_next_code(struct lex *lex, struct lex_token *token);
/* True if the token is this word, in any case. word: lower case. */
bool lex_is(const struct lex *lex, const struct lex_token *token, const char *word);
bool lex_identifier_byte(char c);
/*
 * End of the statement that begins at from: offset of its ';', or len. Semicolons within
 * parentheses and within BEGIN ATOMIC ... END do not end one.
 */
size_t lex_statement_end(const char *text, size_t len, size_t from);

#define LEX_DEPTH_MAX 20000

struct lex_extent {
	size_t first; /* first byte of the first token */
	size_t last;  /* byte behind the last token; equal to first: nothing but comments */
	size_t depth; /* upper estimate of how deep its parse tree is nested on the left */
};
void lex_measure(const char *text, size_t from, size_t to, struct lex_extent *out);

#endif
