/* Audit records and their chains: what was written is read back, and every alteration is found. */
#include "arena.h"
#include "digest.h"
#include "plan_statement.h"
#include "recorder.h"
#include "trust_fixture.h"

#define RUN "0123456789abcdef0123456789abcdef"
#define OTHER_RUN "fedcba9876543210fedcba9876543210"
#define NOW (INT64_C(1795336200) * 1000000 + 123456)

static struct err err = ERR_INIT;
static struct digest plan;
static struct test_key host, other;
static struct bundle_edit *edit;
static struct db *db;

static void start(void)
{
	scratch_make();
	host = test_key_new();
	other = test_key_new();
	digest_of("plan", 4, &plan);
	OK(bundle_edit("b.docket", NULL, false, &edit, &err));
	db = bundle_edit_db(edit);
}

static void stop(void)
{
	bundle_edit_abort(edit);
	test_key_free(&host);
	test_key_free(&other);
	scratch_drop();
}
TestSuite(record, .init = start, .fini = stop);

static void put_run(const char *run, const struct digest *of)
{
	struct db_query *query = NULL;
	OK(db_prepare(db, "INSERT INTO run VALUES (?1, ?2, 0)", &query, &err));
	db_bind_text(query, 1, run);
	db_bind_blob(query, 2, of->bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
}

static void put_receipt(const char *run, int64_t seq, const struct buf *body, const struct buf *signature)
{
	struct db_query *query = NULL;
	OK(db_prepare(db, "INSERT INTO receipt VALUES (?1, ?2, ?3, ?4)", &query, &err));
	db_bind_text(query, 1, run);
	db_bind_int64(query, 2, seq);
	db_bind_blob(query, 3, body->data, body->len);
	if (signature)
		db_bind_blob(query, 4, signature->data, signature->len);
	OK(db_run(query, &err));
	db_finish(query);
}

/* One record of the type, sealed and stored; a checkpoint is signed by key. */
static void write_record(struct record_chain *chain, const char *type, const struct test_key *key)
{
	struct buf body = BUF_INIT(RECORD_MAX_BYTES), signature = BUF_INIT(SSHSIG_MAX_BYTES);
	bool checkpoint = strcmp(type, "checkpoint") == 0;
	record_begin(chain, &body, type, NOW + chain->seq);
	if (checkpoint)
		record_key_digest(&body, "plan", &plan);
	else
		record_key(&body, "schema", "tenant \xc3\xa4");
	OK(record_seal(chain, &body, &err));
	if (checkpoint)
		OK(sshsig_sign(key->private, NAMESPACE_RESULT, body.data, body.len, &signature, &err));
	put_receipt(chain->run, chain->seq - 1, &body, checkpoint ? &signature : NULL);
	buf_release(&body);
	buf_release(&signature);
}

static const char *const usual[] = { "run-start", "segment", "segment", "checkpoint", "segment", "run-end", "checkpoint" };

static void write_run(const char *run, const struct test_key *key)
{
	struct record_chain chain;
	record_chain_start(&chain, run, &plan);
	put_run(run, &plan);
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		write_record(&chain, usual[i], key);
}

struct seen {
	int records, runs;
	int64_t unsigned_records, last_records;
	bool host_seen;
};

static int on_record(void *context, const struct record *record, const char *body, size_t len, struct err *e)
{
	(void)e;
	struct seen *seen = context;
	cr_assert(len && body);
	cr_assert_eq(record->time_us, NOW + record->seq);
	seen->records++;
	return 0;
}

static int on_end(void *context, const char *run, const struct digest *head, int64_t records, int64_t unsigned_records,
                  const struct ssh_public_key *key, struct err *e)
{
	(void)run, (void)head, (void)e;
	struct seen *seen = context;
	seen->runs++;
	seen->last_records = records;
	seen->unsigned_records += unsigned_records;
	seen->host_seen = key && memcmp(key->blob, host.public.blob, key->blob_len) == 0;
	return 0;
}

static struct seen seen;
static int verify(void)
{
	struct record_visitor visitor = { &seen, on_record, on_end };
	memset(&seen, 0, sizeof seen);
	err_clear(&err);
	return record_verify_chains(db, &plan, &visitor, &err);
}

static void refuses(const char *says)
{
	cr_assert_eq(verify(), -1, "accepted, expected: %s", says);
	cr_assert(strstr(err.message, says), "%s", err.message);
}

Test(record, text_and_back)
{
	struct record_chain chain;
	struct record *record = NULL;
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	struct arena *arena = arena_new(1 << 20);
	char hex[DIGEST_HEX_SIZE];
	digest_hex(&plan, hex);
	record_chain_start(&chain, RUN, &plan);
	record_begin(&chain, &body, "error", NOW);
	record_key(&body, "message", "a\nb \"c\" % \xc3\xa4");
	record_key(&body, "sqlstate", "");
	record_key_int64(&body, "segment", -3);
	record_key_digest(&body, "state-after", &plan);
	OK(record_seal(&chain, &body, &err));
	char expected[1000];
	snprintf(expected, sizeof expected,
	         "pgdocket-audit/1\nrun: " RUN "\nseq: 0\nprev: %s\ntime: 2026-11-22T08:30:00.123456Z\ntype: error\n"
	         "message: a%%0Ab%%20%%22c%%22%%20%%25%%20%%C3%%A4\nsegment: -3\nstate-after: %s\nend\n", hex, hex);
	cr_assert_str_eq(body.data, expected);
	OK(record_parse(arena, body.data, body.len, &record, &err));
	cr_assert_str_eq(record->type, "error");
	cr_assert_str_eq(record->run, RUN);
	cr_assert_eq(record->time_us, NOW);
	cr_assert_str_eq(record_get(record, "message"), "a\nb \"c\" % \xc3\xa4");
	cr_assert_null(record_get(record, "sqlstate"));
	cr_assert_str_eq(record_get(record, "segment"), "-3");
	cr_assert_eq(chain.seq, 1);
	struct digest head;
	digest_of(body.data, body.len, &head);
	cr_assert(digest_equal(&head, &chain.head));
	arena_free(arena);
	buf_release(&body);
}

Test(record, long_values_are_cut_between_characters)
{
	struct record_chain chain;
	struct record *record = NULL;
	struct buf body = BUF_INIT(RECORD_MAX_BYTES), text = BUF_INIT(1 << 20);
	struct arena *arena = arena_new(1 << 20);
	size_t bad;
	for (int i = 0; i < 100000; i++)
		buf_add_text(&text, "\xe2\x82\xac");
	record_chain_start(&chain, RUN, &plan);
	record_begin(&chain, &body, "error", NOW);
	record_key(&body, "message", text.data);
	record_key(&body, "hint", text.data + 1);
	record_key(&body, "why", "short");
	OK(record_seal(&chain, &body, &err));
	OK(record_parse(arena, body.data, body.len, &record, &err));
	const char *message = record_get(record, "message");
	cr_assert_eq(strlen(message), 4096 / 9 * 3);
	cr_assert(text_utf8(message, strlen(message), &bad));
	cr_assert_str_eq(record_get(record, "why"), "short");
	arena_free(arena);
	buf_release(&body);
	buf_release(&text);
}

Test(record, too_large)
{
	struct record_chain chain;
	struct buf body = BUF_INIT(1 << 20);
	char text[4000], key[20];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	record_chain_start(&chain, RUN, &plan);
	record_begin(&chain, &body, "error", NOW);
	for (int i = 0; i < 5; i++) {
		snprintf(key, sizeof key, "k%d", i);
		record_key(&body, key, text);
	}
	FAILS(record_seal(&chain, &body, &err), ERR_LIMIT);
	cr_assert_eq(chain.seq, 0);
	buf_release(&body);
}

Test(record, forms_that_are_refused)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "seq: 0", "seq: 00" }, { "seq: 0", "seq: -1" }, { "seq: 0\n", "" }, { ".123456Z", "Z" }, { "type: segment", "tipe: segment" },
		{ "type: segment\n", "" }, { "schema: a", "schema: %61" }, { "schema: a", "schema: a%00" }, { "schema: a", "schema: a b" },
		{ "schema: a\n", "schema: a\nschema: b\n" }, { "schema: a\n", "schema: a\nrun: x\ntype: y\n" }, { "end\n", "end\n\n" },
		{ "end\n", "" }, { "pgdocket-audit/1", "pgdocket-audit/2" }, { "type: segment\nschema: a", "schema: a\ntype: segment" },
		{ "schema: a", "Schema: a" }, { "schema: a", "schema: \xc3\xa4" },
	};
	struct record_chain chain;
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	record_chain_start(&chain, RUN, &plan);
	record_begin(&chain, &body, "segment", NOW);
	record_key(&body, "schema", "a");
	OK(record_seal(&chain, &body, &err));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena *arena = arena_new(1 << 20);
		struct record *record;
		struct buf text = BUF_INIT(65536);
		const char *at = strstr(body.data, cases[i].from);
		cr_assert(at);
		buf_add(&text, body.data, (size_t)(at - body.data));
		buf_add_text(&text, cases[i].to);
		buf_add_text(&text, at + strlen(cases[i].from));
		FAILS(record_parse(arena, text.data, text.len, &record, &err), ERR_FORMAT);
		buf_release(&text);
		arena_free(arena);
	}
	buf_release(&body);
}

Test(record, chains_that_hold)
{
	cr_assert_eq(verify(), 0, "%s", err.message);
	cr_assert_eq(seen.runs, 0);
	write_run(RUN, &host);
	cr_assert_eq(verify(), 0, "%s", err.message);
	cr_assert_eq(seen.records, 7);
	cr_assert_eq(seen.runs, 1);
	cr_assert_eq(seen.unsigned_records, 0);
	cr_assert(seen.host_seen);
	write_run(OTHER_RUN, &other);
	cr_assert_eq(verify(), 0, "%s", err.message);
	cr_assert_eq(seen.records, 14);
	cr_assert_eq(seen.runs, 2);
	OK(record_verify_chains(db, &plan, NULL, &err));
}

Test(record, A01_cut_off)
{
	write_run(RUN, &host);
	/* Without the last checkpoint: said. Without more: an earlier state, which only anchors outside can tell. */
	OK(db_exec(db, "DELETE FROM receipt WHERE seq = 6", &err));
	cr_assert_eq(verify(), 0, "%s", err.message);
	cr_assert_eq(seen.unsigned_records, 2);
	OK(db_exec(db, "DELETE FROM receipt WHERE seq > 3", &err));
	cr_assert_eq(verify(), 0, "%s", err.message);
	cr_assert_eq(seen.unsigned_records, 0);
	OK(db_exec(db, "DELETE FROM receipt", &err));
	refuses("has no records");
}

Test(record, A02_edited)
{
	static const struct { const char *sql, *says; } cases[] = {
		{ "UPDATE receipt SET body = CAST(replace(CAST(body AS TEXT), 'tenant', 'Tenant') AS BLOB) WHERE seq = 1", "record 2: it does not follow" },
		{ "DELETE FROM receipt WHERE seq = 0", "record 1: a record before it is missing" },
		{ "DELETE FROM receipt WHERE seq = 2", "record 3: a record before it is missing" },
		{ "UPDATE receipt SET seq = seq + 10 WHERE seq = 2; UPDATE receipt SET seq = 2 WHERE seq = 1; UPDATE receipt SET seq = 1 WHERE seq = 12",
		  "record 1: a record before it is missing" },
		{ "UPDATE receipt SET seq = seq + 10", "record 10: a record before it is missing" },
		{ "UPDATE receipt SET signature = NULL WHERE seq = 3", "record 3: the checkpoint has no signature" },
		{ "UPDATE receipt SET signature = x'00' WHERE seq = 1", "record 1: it has a signature" },
		{ "UPDATE receipt SET signature = (SELECT signature FROM receipt WHERE seq = 6) WHERE seq = 3", "record 3: the signature is refused" },
		{ "UPDATE receipt SET body = CAST(replace(CAST(body AS TEXT), 'tenant', 'Tenant') AS BLOB) WHERE seq = 5", "record 6: it does not follow" },
		{ "UPDATE receipt SET run = '" OTHER_RUN "'", "has no records" },
		{ "INSERT INTO receipt SELECT '" OTHER_RUN "', seq, body, signature FROM receipt", "the bundle does not know this run" },
		{ "UPDATE receipt SET run = '" OTHER_RUN "'; UPDATE run SET run = '" OTHER_RUN "'", "record of another run" },
		{ "UPDATE run SET plan = zeroblob(32)", "belongs to another plan" },
		{ "UPDATE receipt SET body = x'00' WHERE seq = 4", "record 4" },
	};
	write_run(RUN, &host);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		OK(db_exec(db, "SAVEPOINT s", (err_clear(&err), &err)));
		OK(db_exec(db, cases[i].sql, &err));
		refuses(cases[i].says);
		err_clear(&err);
		OK(db_exec(db, "ROLLBACK TO s", &err));
		OK(db_exec(db, "RELEASE s", &err));
	}
	cr_assert_eq(verify(), 0, "%s", err.message);
}

Test(record, A03_checkpoint_of_another_key)
{
	struct record_chain chain;
	record_chain_start(&chain, RUN, &plan);
	put_run(RUN, &plan);
	write_record(&chain, "run-start", &host);
	write_record(&chain, "checkpoint", &host);
	write_record(&chain, "segment", &host);
	write_record(&chain, "checkpoint", &other);
	refuses("record 3: the checkpoint is signed with another key");
}

Test(record, run_start_names_the_plan)
{
	static const struct { const char *named; bool good; } cases[] = { { "plan", true }, { "other", false } };
	for (int i = 0; i < 2; i++) {
		struct record_chain chain;
		struct digest named;
		struct buf body = BUF_INIT(RECORD_MAX_BYTES);
		OK(db_exec(db, "DELETE FROM receipt; DELETE FROM run", (err_clear(&err), &err)));
		digest_of(cases[i].named, strlen(cases[i].named), &named);
		record_chain_start(&chain, RUN, &plan);
		put_run(RUN, &plan);
		record_begin(&chain, &body, "run-start", NOW);
		record_key_digest(&body, "plan", &named);
		OK(record_seal(&chain, &body, &err));
		put_receipt(RUN, 0, &body, NULL);
		buf_release(&body);
		if (cases[i].good)
			cr_assert_eq(verify(), 0, "%s", err.message);
		else
			refuses("record 0: it names another plan");
	}
}

static void refuses_order(const char *const *types, size_t count, const char *says)
{
	struct record_chain chain;
	OK(db_exec(db, "DELETE FROM receipt; DELETE FROM run", (err_clear(&err), &err)));
	record_chain_start(&chain, RUN, &plan);
	put_run(RUN, &plan);
	for (size_t i = 0; i < count; i++)
		write_record(&chain, types[i], &host);
	refuses(says);
}

Test(record, types_have_their_places)
{
	static const char *const no_start[] = { "segment", "checkpoint" };
	static const char *const two_starts[] = { "run-start", "run-start" };
	static const char *const unknown[] = { "run-start", "party" };
	static const char *const behind_end[] = { "run-start", "run-end", "checkpoint", "segment" };
	refuses_order(no_start, 2, "record 0: a run begins with run-start");
	refuses_order(two_starts, 2, "record 1: a run begins with run-start, once");
	refuses_order(unknown, 2, "record 1: its type is not known");
	refuses_order(behind_end, 4, "record 3: it stands behind run-end");
}

Test(record, S24_ssh_keygen_verifies_a_checkpoint)
{
	struct record_chain chain;
	struct buf body = BUF_INIT(RECORD_MAX_BYTES), blob = BUF_INIT(SSHSIG_MAX_BYTES), text = BUF_INIT(65536);
	record_chain_start(&chain, RUN, &plan);
	record_begin(&chain, &body, "checkpoint", NOW);
	record_key_digest(&body, "plan", &plan);
	OK(record_seal(&chain, &body, &err));
	OK(sshsig_sign(host.private, NAMESPACE_RESULT, body.data, body.len, &blob, &err));
	FILE *f = fopen("m", "w");
	fwrite(body.data, 1, body.len, f);
	fclose(f);
	OK(sshsig_armor((uint8_t *)blob.data, blob.len, &text, &err));
	f = fopen("m.sig", "w");
	fputs(text.data, f);
	fclose(f);
	buf_clear(&text);
	buf_add_text(&text, "host-1 namespaces=\"" NAMESPACE_RESULT "\" ");
	OK(ssh_public_key_write(&host.public, NULL, &text, &err));
	f = fopen("signers", "w");
	fputs(text.data, f);
	fclose(f);
	cr_assert_eq(system("ssh-keygen -Y verify -f signers -I host-1 -n " NAMESPACE_RESULT " -s m.sig <m >/dev/null 2>&1"), 0);
	buf_release(&body);
	buf_release(&blob);
	buf_release(&text);
}

static int add_record(struct recorder *recorder, const char *type)
{
	record_key(recorder_begin(recorder, type), "schema", "tenant_1");
	return recorder_add(recorder, &err);
}

static int64_t receipts(struct db *work)
{
	int64_t n = -1;
	OK(db_value_int64(work, "SELECT count(*) FROM receipt", &n, &err));
	return n;
}

/* Full batches are written by themselves; what is not flushed is lost, and behind a failure nothing comes. */
Test(record, recorder_writes_batches)
{
	struct recorder *recorder = NULL;
	struct db *work = NULL;
	OK(bundle_create_at("work", &work, &err));
	OK(recorder_new(work, RUN, &plan, host.private, &recorder, &err));
	cr_assert_eq(recorder_due_ms(recorder), -1);
	cr_assert(digest_equal(recorder_head(recorder), &plan));
	OK(recorder_flush(recorder, true, &err));
	for (int i = 0; i < 64; i++)
		OK(add_record(recorder, i ? "segment" : "run-start"));
	struct digest durable = *recorder_head(recorder);
	cr_assert_gt(recorder_due_ms(recorder), 0);
	OK(recorder_flush(recorder, false, &err));
	cr_assert(digest_equal(recorder_head(recorder), &durable));
	OK(recorder_flush(recorder, true, &err));
	cr_assert_not(digest_equal(recorder_head(recorder), &durable));
	cr_assert_eq(receipts(work), 66);
	OK(add_record(recorder, "segment"));
	OK(record_verify_chains(work, &plan, NULL, &err));
	db_rollback(work);
	cr_assert_eq(receipts(work), 66);
	OK(db_exec(work, "DROP TABLE receipt", &err));
	cr_assert_neq(add_record(recorder, "segment"), 0);
	cr_assert_not(recorder_sound(recorder));
	for (int i = 0; i < 2; i++) {
		err_clear(&err);
		FAILS(i ? recorder_flush(recorder, true, &err) : add_record(recorder, "segment"), ERR_IO);
	}
	recorder_free(recorder);
	bundle_close_db(work);
}
