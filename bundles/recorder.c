/* Writes a run's records: each goes into an open transaction at once, which a signed checkpoint
 * ends after a second or 63 records. After one failure nothing more is written: what came next
 * would be chained behind records that are not there. It knows no record's meaning. */
#include "recorder.h"

#include <stdlib.h>

#include "clock.h"
#include "plan_statement.h"
#include "sql.h"

#define BATCH_MAX 63 /* and the checkpoint */
#define BATCH_US 1000000

struct recorder {
	struct db *db;
	const struct ssh_private_key *key;
	struct digest plan, durable;
	struct record_chain chain;
	struct buf current;
	struct db_query *insert;
	int count; /* records in the transaction; 0: none is open */
	int64_t oldest_us;
	bool unsound;
};

int recorder_new(struct db *db, const char run[33], const struct digest *plan,
	const struct ssh_private_key *key, struct recorder **out, struct err *err)
{
	struct recorder *recorder = calloc(1, sizeof *recorder);
	if (!recorder)
		return err_nomem(err);
	recorder->db = db;
	recorder->key = key;
	recorder->plan = recorder->durable = *plan;
	buf_init(&recorder->current, RECORD_MAX_BYTES);
	record_chain_start(&recorder->chain, run, plan);
	*out = recorder;
	return db_prepare(db, sql_insert_receipt, &recorder->insert, err);
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	db_finish(recorder->insert);
	buf_release(&recorder->current);
	free(recorder);
}

const struct digest *recorder_head(const struct recorder *recorder)
{
	return &recorder->durable;
}

bool recorder_sound(const struct recorder *recorder)
{
	return !recorder->unsound;
}

int64_t recorder_due_ms(const struct recorder *recorder)
{
	int64_t left_us = recorder->oldest_us + BATCH_US - clock_monotonic_us();
	if (!recorder->count)
		return -1;
	return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

struct buf *recorder_begin(struct recorder *recorder, const char *type)
{
	record_begin(&recorder->chain, &recorder->current, type, clock_now_us());
	return &recorder->current;
}

static int begin_batch(struct recorder *recorder, struct err *err)
{
	struct db_query *query = NULL;
	int rc = db_begin(recorder->db, err);
	recorder->oldest_us = clock_monotonic_us();
	if (rc || recorder->chain.seq)
		return rc;
	if (db_prepare(recorder->db, sql_insert_run, &query, err))
		return -1;
	db_bind_text(query, 1, recorder->chain.run);
	db_bind_blob(query, 2, recorder->plan.bytes, DIGEST_SIZE);
	db_bind_int64(query, 3, clock_now_us());
	rc = db_run(query, err);
	db_finish(query);
	return rc;
}

static int write_record(struct recorder *recorder, bool sign, struct err *err)
{
	struct buf *body = &recorder->current, signature = BUF_INIT(SSHSIG_MAX_BYTES);
	int64_t seq = recorder->chain.seq;
	int rc = record_seal(&recorder->chain, body, err) ||
		(sign &&
			sshsig_sign(
				recorder->key, NAMESPACE_RESULT, body->data, body->len, &signature, err));
	if (!rc) {
		db_bind_text(recorder->insert, 1, recorder->chain.run);
		db_bind_int64(recorder->insert, 2, seq);
		db_bind_blob(recorder->insert, 3, body->data, body->len);
		if (sign)
			db_bind_blob(recorder->insert, 4, signature.data, signature.len);
		rc = db_run(recorder->insert, err);
	}
	buf_release(&signature);
	return rc ? -1 : 0;
}

static int unsound(struct recorder *recorder)
{
	recorder->unsound = true;
	db_rollback(recorder->db);
	return -1;
}

int recorder_add(struct recorder *recorder, struct err *err)
{
	if (recorder->unsound)
		return err_set(err, ERR_IO, "records could not be written before");
	if ((!recorder->count && begin_batch(recorder, err)) || write_record(recorder, false, err))
		return unsound(recorder);
	return ++recorder->count == BATCH_MAX ? recorder_flush(recorder, true, err) : 0;
}

int recorder_flush(struct recorder *recorder, bool force, struct err *err)
{
	if (recorder->unsound)
		return err_set(err, ERR_IO, "records could not be written before");
	if (recorder->count == 0 || (!force && recorder_due_ms(recorder) > 0))
		return 0;
	record_key_digest(recorder_begin(recorder, "checkpoint"), "plan", &recorder->plan);
	if (write_record(recorder, true, err) || db_commit(recorder->db, err))
		return unsound(recorder);
	recorder->durable = recorder->chain.head;
	recorder->count = 0;
	return 0;
}
