/* Keys and values by a list: for audit records (record.h) and for the JSON objects of --json. */
#ifndef PGDOCKET_FIELDS_H
#define PGDOCKET_FIELDS_H

#include "buf.h"

/*
 * list: "t:schema n:oid d:state-after": a key with its value's kind for each value that follows. t
 * const char *, n int64_t, d const struct digest *. NULL: the key is left out of a record, and is
 * null in JSON.
 */
void fields_record(struct buf *record, const char *list, ...);
/*
 * Each with a comma in front: what stands before is the object's first key. Dashes in keys become
 * underscores.
 */
void fields_json(struct buf *out, const char *list, ...);

#endif
