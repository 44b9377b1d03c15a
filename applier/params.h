/* Values as PostgreSQL reads them in text form: what parameters are made of. */
#ifndef PGDOCKET_PARAMS_H
#define PGDOCKET_PARAMS_H

#include <stdint.h>
#include "buf.h"
#include "digest.h"

/* {"a","b\"c"}: every item quoted. Appends to out. */
void params_array(struct buf *out, const char *const *items, size_t count);
/* An array literal item by item: open, items, close. */
void params_array_open(struct buf *out);
void params_array_item(struct buf *out, const char *item);
void params_array_close(struct buf *out);

#define PARAMS_BYTEA_SIZE (2 + DIGEST_HEX_SIZE)
/* \x and 64 hex digits. */
void params_bytea(const struct digest *digest, char out[PARAMS_BYTEA_SIZE]);

#define PARAMS_INT64_SIZE 24
void params_int64(int64_t value, char out[PARAMS_INT64_SIZE]);

#endif
