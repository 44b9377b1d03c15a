/*
 * Text and number encodings: hex, base64, percent, terminal-safe, UTF-8, decimal. No locale
 * anywhere.
 */
#ifndef PGDOCKET_TEXT_H
#define PGDOCKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"

/* out has room for 2 * len + 1; lower case, NUL-terminated. */
void text_hex(const void *bytes, size_t len, char *out);
/* Exactly 2 * len lower-case hex digits in hex[0..2*len); false otherwise. */
bool text_unhex(const char *hex, size_t hex_len, void *out, size_t len);
/* Standard alphabet with padding, no line breaks. */
void text_base64(struct buf *out, const void *bytes, size_t len);
/* Canonical only: no blanks, right padding, zero spare bits; false otherwise. Appends to out. */
bool text_unbase64(const char *text, size_t len, struct buf *out);
/* Only bytes of [A-Za-z0-9_.@:/+-]: those that text_percent leaves as they are. */
bool text_plain(const char *bytes, size_t len);
/* '%' and two upper-case hex digits for every byte outside [A-Za-z0-9_.@:/+-]  (TRUST.md a.3). */
void text_percent(struct buf *out, const char *bytes, size_t len);
/* The inverse; false unless re-encoding gives the very same text. */
bool text_unpercent(const char *text, size_t len, struct buf *out);
/*
 * For people: control characters, DEL, C1, bidi controls and invalid UTF-8 become \xNN; rest as
 * it is.
 */
void text_safe(struct buf *out, const char *bytes, size_t len);
/* JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void text_json(struct buf *out, const char *bytes, size_t len);
/* ,"key":value with the value as a JSON string. */
void text_json_pair(struct buf *out, const char *key, const char *value);
/*
 * True if valid UTF-8 (no overlong, no surrogates, no NUL); else *bad is the first wrong byte's
 * offset.
 */
bool text_utf8(const char *bytes, size_t len, size_t *bad);
/* The whole text is a decimal int64 within [low, high]. */
bool text_int64(const char *text, int64_t low, int64_t high, int64_t *out);
/* 1 min, 30s, 500ms, 2h, 7d; a bare number is refused. Milliseconds. */
bool text_duration_ms(const char *text, int64_t *out);
/* Shell-like glob over bytes: * and ? only; no escapes, no classes. */
bool text_glob(const char *pattern, const char *name);
/* word stands in a list that ends with NULL. */
bool text_among(const char *const *words, const char *word);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

#endif
