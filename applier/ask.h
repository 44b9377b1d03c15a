/* Parameters of statements as PostgreSQL reads them in text form, and questions made of them. */
#ifndef PGDOCKET_ASK_H
#define PGDOCKET_ASK_H

#include <stdarg.h>
#include "digest.h"
#include "session.h"

#define ASK_PARAMETERS 8
#define ASK_TEXT (3 + DIGEST_HEX_SIZE)

struct ask_parameters {
	int count;
	const char *value[ASK_PARAMETERS];
	char text[ASK_PARAMETERS][ASK_TEXT];
};

/*
 * format: a letter each: t text (NULL: NULL), i int, n int64_t, x int64_t (0: NULL), d digest.
 * Texts are borrowed.
 */
void ask_parameters(struct ask_parameters *out, const char *format, va_list values);

/* An array literal item by item in a buffer that was empty: {"a","b\"c"}; then the end. */
void ask_array_text(struct buf *array, const char *item);
void ask_array_number(struct buf *array, int64_t item);
void ask_array_end(struct buf *array);

/* Rows, or nothing, of a statement within a minute; values as format says. */
int ask_rows(struct session *session, const char *sql, struct rows **out, struct err *err,
	const char *format, ...) MUST_CHECK;
int ask_rows_list(struct session *session, const char *sql, struct rows **out, struct err *err,
	const char *format, va_list values) MUST_CHECK;
int ask_run(
	struct session *session, const char *sql, struct err *err, const char *format, ...) MUST_CHECK;
/* A fingerprint or another digest in hex; false when there is none. */
bool ask_digest(const struct rows *rows, int row, int column, struct digest *out);

#endif
