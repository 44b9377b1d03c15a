/* The chains of audit records in a bundle: each record names its predecessor by SHA-256,
 * checkpoints sign the head. Says whether they hold and which key signed them; whose key that
 * should be is the caller's question. */
#include "record.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "arena.h"
#include "plan_statement.h"
#include "sql.h"
#include "text.h"

#define RECORD_ARENA_BYTES (1u << 20)
#define TYPE_CHECKPOINT "checkpoint"

static const char *const types[] = { "run-start", "segment", "retry", "error", "signal",
	"reconcile", TYPE_CHECKPOINT, "run-end", NULL };

/* Where the walk stands in one run. */
struct walk {
	const struct record_visitor *visitor;
	struct digest plan;
	struct record_chain chain; /* run "": before the first */
	int64_t unsigned_records;
	bool ended; /* run-end was seen: only checkpoints may follow */
	bool has_host;
	struct ssh_public_key host;
};

struct row { /* borrowed from the query */
	const char *run;
	int64_t seq;
	const void *body, *signature; /* signature NULL: none */
	size_t body_len, signature_len;
};

static int broken(const struct row *row, struct err *err, const char *what)
{
	return err_refuse_hint(err, "audit",
		"the records were altered after they were written; compare with the database's ledger",
		"run %.32s, record %lld: %s", row->run, (long long)row->seq, what);
}

static int end_run(struct walk *walk, struct err *err)
{
	if (!walk->chain.run[0] || !walk->visitor || !walk->visitor->end)
		return 0;
	return walk->visitor->end(walk->visitor->context, walk->chain.run, &walk->chain.head,
		walk->chain.seq, walk->unsigned_records, walk->has_host ? &walk->host : NULL, err);
}

static void start_run(struct walk *walk, const char *run)
{
	char name[33];
	snprintf(name, sizeof(name), "%s", run);
	record_chain_start(&walk->chain, name, &walk->plan);
	walk->unsigned_records = 0;
	walk->ended = walk->has_host = false;
}

static int check_checkpoint(struct walk *walk, const struct row *row, struct err *err)
{
	struct ssh_public_key key;
	if (!row->signature)
		return broken(row, err, "the checkpoint has no signature");
	if (sshsig_verify(row->signature, row->signature_len, NAMESPACE_RESULT, row->body,
			row->body_len, &key, err))
		return err_context(err, "run %.32s, record %lld", row->run, (long long)row->seq);
	if (walk->has_host &&
		(walk->host.blob_len != key.blob_len ||
			memcmp(walk->host.blob, key.blob, key.blob_len) != 0))
		return broken(row, err, "the checkpoint is signed with another key than those before it");
	walk->host = key;
	walk->has_host = true;
	walk->unsigned_records = 0;
	return 0;
}

/* What must hold of a record at its place, whatever its type's own keys say. */
static const char *misplaced(
	const struct walk *walk, const struct row *row, const struct record *record)
{
	bool checkpoint = strcmp(record->type, TYPE_CHECKPOINT) == 0;
	bool first = strcmp(record->type, "run-start") == 0;
	const char *named = record_get(record, "plan");
	if (row->seq != walk->chain.seq || record->seq != row->seq)
		return "a record before it is missing, or it is out of order";
	if (strcmp(record->run, row->run) != 0)
		return "it is a record of another run";
	if (!digest_equal(&record->prev, &walk->chain.head))
		return "it does not follow the record before it";
	if (!text_among(types, record->type))
		return "its type is not known";
	if (first != (record->seq == 0))
		return "a run begins with run-start, once";
	if (named ? strcmp(named, digest_text(&walk->plan).hex) != 0 : checkpoint)
		return "it names another plan";
	if (walk->ended && !checkpoint)
		return "it stands behind run-end";
	if (!checkpoint && row->signature)
		return "it has a signature, which only checkpoints have";
	return NULL;
}

static int check_row(struct walk *walk, struct arena *arena, const struct row *row, struct err *err)
{
	struct record *record = NULL;
	if (strcmp(walk->chain.run, row->run) != 0) {
		if (end_run(walk, err))
			return -1;
		start_run(walk, row->run);
	}
	if (record_parse(arena, row->body, row->body_len, &record, err))
		return err_context(err, "run %.32s, record %lld", row->run, (long long)row->seq);
	const char *why = misplaced(walk, row, record);
	if (why)
		return broken(row, err, why);
	walk->unsigned_records++;
	walk->ended = walk->ended || strcmp(record->type, "run-end") == 0;
	if (strcmp(record->type, TYPE_CHECKPOINT) == 0 && check_checkpoint(walk, row, err))
		return -1;
	digest_of(row->body, row->body_len, &walk->chain.head);
	walk->chain.seq++;
	if (!walk->visitor || !walk->visitor->record)
		return 0;
	return walk->visitor->record(walk->visitor->context, record, row->body, row->body_len, err);
}

static int read_row(
	struct db_query *query, const struct walk *walk, struct row *row, struct err *err)
{
	struct digest plan;
	memset(row, 0, sizeof(*row));
	if (db_get_text(query, 0, &row->run, NULL, err) || db_get_int64(query, 1, &row->seq, err) ||
		db_get_blob(query, 2, &row->body, &row->body_len, err) ||
		(!db_is_null(query, 3) && db_get_blob(query, 3, &row->signature, &row->signature_len, err)))
		return -1;
	if (db_is_null(query, 4))
		return broken(row, err, "the bundle does not know this run");
	if (db_get_digest(query, 4, &plan, err))
		return -1;
	if (!digest_equal(&plan, &walk->plan))
		return broken(row, err, "the run belongs to another plan");
	return 0;
}

static int refuse_empty_run(struct db_query *query, void *context, struct err *err)
{
	const char *run = "";
	(void)context;
	if (db_get_text(query, 0, &run, NULL, err))
		return -1;
	return err_refuse(err, "audit", "run %.32s has no records: they were taken out", run);
}

static int visit_row(struct db_query *query, void *context, struct err *err)
{
	struct walk *walk = context;
	struct row row;
	struct arena *arena = arena_new(RECORD_ARENA_BYTES);
	if (!arena)
		return err_nomem(err);
	int result = read_row(query, walk, &row, err) || check_row(walk, arena, &row, err) ? -1 : 0;
	arena_free(arena);
	return result;
}

int record_verify_chains(
	struct db *db, const struct digest *plan, const struct record_visitor *visitor, struct err *err)
{
	struct walk walk = { .visitor = visitor, .plan = *plan };
	if (db_each_of(db, sql_select_empty_run, refuse_empty_run, NULL, err) ||
		db_each_of(db, sql_select_receipts, visit_row, &walk, err))
		return -1;
	return end_run(&walk, err);
}
