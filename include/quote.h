/*
 * The one module that writes SQL identifiers and literals. Everything else passes parameters.
 * Both quote always, and refuse NUL and invalid UTF-8.
 */
#ifndef PGDOCKET_QUOTE_H
#define PGDOCKET_QUOTE_H

#include "buf.h"

/* "name" with embedded quotes doubled. ERR_FORMAT: empty, over 63 bytes, NUL or invalid UTF-8. */
int quote_identifier(struct buf *out, const char *name, struct err *err) MUST_CHECK;
/* 'text', with E'' and doubled backslashes when there are any (PQescapeLiteral's form). */
int quote_literal(struct buf *out, const char *text, struct err *err) MUST_CHECK;

#endif
