/*
 * Batches of records with their signed checkpoints. Once a batch fails the recorder stays unsound:
 * what it holds was chained behind records that are not there. It knows no record's meaning.
 */
#include "applier.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "plan_statement.h"
#include "sql.h"

#define BATCH_MAX 63 /* and the checkpoint */
#define BATCH_US 1000000

struct recorder {
	struct db *db;
	const struct ssh_private_key *host_key;
	struct digest plan, durable;
	struct record_chain chain;
	struct buf current;
	struct buf pending[BATCH_MAX]; /* the newest ones of the chain */
	size_t count;
	int64_t oldest_us;
	bool run_written, unsound;
};

int recorder_new(const struct run *run, struct recorder **out, struct err *err)
{
	struct recorder *recorder = calloc(1, sizeof *recorder);
	if (!recorder)
		return err_nomem(err);
	recorder->db = workcopy_db(run->workcopy);
	recorder->host_key = trust_host_key(run->trust);
	recorder->plan = recorder->durable = run->verified.trust.plan;
	buf_init(&recorder->current, RECORD_MAX_BYTES);
	record_chain_start(&recorder->chain, run->id, &recorder->plan);
	*out = recorder;
	return 0;
}

static void forget(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->count; i++)
		buf_release(&recorder->pending[i]);
	recorder->count = 0;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	forget(recorder);
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
	buf_clear(&recorder->current);
	record_begin(&recorder->chain, &recorder->current, type, clock_now_us());
	return &recorder->current;
}

/* Nothing may be committed behind a record that is not there. */
static int unsound(struct recorder *recorder)
{
	recorder->unsound = true;
	return -1;
}

int recorder_add(struct recorder *recorder, struct err *err)
{
	if (record_seal(&recorder->chain, &recorder->current, err))
		return unsound(recorder);
	if (recorder->count == 0)
		recorder->oldest_us = clock_monotonic_us();
	recorder->pending[recorder->count++] = recorder->current;
	buf_init(&recorder->current, RECORD_MAX_BYTES);
	return recorder->count == BATCH_MAX ? recorder_flush(recorder, true, err) : 0;
}

static int write_run(struct recorder *recorder, struct err *err)
{
	struct db_query *query = NULL;
	int rc;
	if (recorder->run_written)
		return 0;
	if (db_prepare(recorder->db, sql_work_insert_run, &query, err))
		return -1;
	db_bind_text(query, 1, recorder->chain.run);
	db_bind_blob(query, 2, recorder->plan.bytes, DIGEST_SIZE);
	db_bind_int64(query, 3, clock_now_us());
	rc = db_run(query, err);
	db_finish(query);
	return rc;
}

static int write_record(const struct recorder *recorder, struct db_query *query, int64_t seq,
	const struct buf *body, const struct buf *signature, struct err *err)
{
	db_bind_text(query, 1, recorder->chain.run);
	db_bind_int64(query, 2, seq);
	db_bind_blob(query, 3, body->data, body->len);
	if (signature)
		db_bind_blob(query, 4, signature->data, signature->len);
	else
		db_bind_null(query, 4);
	return db_run(query, err);
}

static int write_checkpoint(struct recorder *recorder, struct db_query *query, struct err *err)
{
	struct buf signature = BUF_INIT(SSHSIG_MAX_BYTES);
	struct buf *body = recorder_begin(recorder, "checkpoint");
	int64_t seq = recorder->chain.seq;
	record_key_digest(body, "plan", &recorder->plan);
	int rc = record_seal(&recorder->chain, body, err) ||
		sshsig_sign(recorder->host_key, NAMESPACE_RESULT, body->data, body->len, &signature, err) ||
		write_record(recorder, query, seq, body, &signature, err);
	buf_release(&signature);
	return rc ? -1 : 0;
}

static int write_batch(struct recorder *recorder, struct err *err)
{
	struct db_query *query = NULL;
	int64_t first = recorder->chain.seq - (int64_t)recorder->count;
	int rc = write_run(recorder, err) ||
		db_prepare(recorder->db, sql_work_insert_receipt, &query, err);
	for (size_t i = 0; i < recorder->count && !rc; i++)
		rc = write_record(recorder, query, first + (int64_t)i, &recorder->pending[i], NULL, err);
	if (!rc)
		rc = write_checkpoint(recorder, query, err);
	db_finish(query);
	return rc;
}

int recorder_flush(struct recorder *recorder, bool force, struct err *err)
{
	if (recorder->unsound)
		return err_set(err, ERR_IO, "records could not be written before");
	if (recorder->count == 0 || (!force && recorder_due_ms(recorder) > 0))
		return 0;
	if (db_begin(recorder->db, err))
		return unsound(recorder);
	if (write_batch(recorder, err)) {
		db_rollback(recorder->db);
		return unsound(recorder);
	}
	if (db_commit(recorder->db, err))
		return unsound(recorder);
	recorder->run_written = true;
	recorder->durable = recorder->chain.head;
	forget(recorder);
	return 0;
}
