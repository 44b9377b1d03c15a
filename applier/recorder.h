/*
 * A run's records on their way into the working copy: chained as they are added, written in batches
 * of at most 64 or one second, each batch ended by a checkpoint that the host key signs, in one
 * transaction (PROTOCOL.md).
 */
#ifndef PGDOCKET_RECORDER_H
#define PGDOCKET_RECORDER_H

#include "record.h"

struct recorder;

/* Everything is borrowed. run: 32 hex digits. Nothing is written before the first batch. */
int recorder_new(struct db *db, const struct ssh_private_key *host_key, const struct digest *plan,
	const char run[33], struct recorder **out, struct err *err) MUST_CHECK;
void recorder_free(struct recorder *recorder); /* NULL is fine; what is not written is lost */

/* Begin a record: add keys with record_key..., then recorder_add. One at a time. */
struct buf *recorder_begin(struct recorder *recorder, const char *type);
/* Seal it; writes the batch when it is full. */
int recorder_add(struct recorder *recorder, struct err *err) MUST_CHECK;
/* Write what stands in memory, if it is a second old, or in any case with force. */
int recorder_flush(struct recorder *recorder, bool force, struct err *err) MUST_CHECK;
/* Milliseconds until the next batch is due; -1: nothing stands in memory. */
int64_t recorder_due_ms(const struct recorder *recorder);
/*
 * The newest head that is durable; the plan's digest before the first batch. Valid as long as
 * recorder.
 */
const struct digest *recorder_head(const struct recorder *recorder);
/* False once a batch could not be written: nothing may be committed any more. */
bool recorder_sound(const struct recorder *recorder);

#endif
