/*
 * A run's records on their way into a bundle, chained, in batches that a checkpoint ends, signed by
 * the host. Once one cannot be written the recorder is unsound: nothing may be done any more that
 * would need a record. Errors: ERR_IO and the rest as db.h reports them.
 */
#ifndef PGDOCKET_RECORDER_H
#define PGDOCKET_RECORDER_H

#include "record.h"

struct recorder;

/* Everything but run and plan is borrowed. Writes nothing yet. *out is freed in any case. */
int recorder_new(struct db *db, const char run[33], const struct digest *plan,
	const struct ssh_private_key *key, struct recorder **out, struct err *err) MUST_CHECK;
void recorder_free(struct recorder *recorder); /* NULL is fine; what was not flushed is lost */
/* Begin a record: add keys with record_key..., then recorder_add. One at a time. */
struct buf *recorder_begin(struct recorder *recorder, const char *type);
/* Seal it; ends the batch when it is full. */
int recorder_add(struct recorder *recorder, struct err *err) MUST_CHECK;
/* Make durable what was added, if it is a second old, or in any case with force. */
int recorder_flush(struct recorder *recorder, bool force, struct err *err) MUST_CHECK;
/* Milliseconds until that is due; -1: everything is durable. */
int64_t recorder_due_ms(const struct recorder *recorder);
/* The newest head that is durable; the plan's digest before the first batch. recorder's. */
const struct digest *recorder_head(const struct recorder *recorder);
bool recorder_sound(const struct recorder *recorder);

#endif
