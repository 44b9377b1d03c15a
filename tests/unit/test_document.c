/* Plan documents: one that holds is read in full; one that does not is refused for what is wrong with it. */
#include "document_fixture.h"

#include "clock.h"
#include <sys/resource.h>

TestSuite(document, .init = scratch_make, .fini = scratch_drop, .timeout = 120);

static struct db *work(int schemas)
{
	struct err err = ERR_INIT;
	struct db *db = NULL;
	OK(bundle_create_at("work", &db, &err));
	OK(db_begin(db, &err));
	bundle_fill(db, schemas);
	OK(db_commit(db, &err));
	return db;
}

Test(document, read_in_full)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	struct digest digest;
	struct document *document = NULL;
	struct db *db = work(3);
	document_text(db, 3, &json);
	document_store(db, &json, "s", 1, &digest);
	OK(document_load(db, &digest, (int64_t)json.len, &document, &err));
	cr_assert_str_eq(document->label, "prod");
	cr_assert_eq(document->server_version, 150018);
	cr_assert_str_eq(document->tenants_query, "SELECT 1");
	cr_assert_null(document->tenants_pattern);
	cr_assert(document->per_migration);
	cr_assert_not(document->strict_guard);
	cr_assert_eq(document->statement_timeout_ms, 1800000);
	cr_assert_eq(document->paths, 2);
	cr_assert_str_eq(document->path[0], "$schema");
	cr_assert_str_eq(document->pin[0].value, "UTC");
	cr_assert_str_eq(document->shape_query.text, "SELECT oid, fingerprint");
	cr_assert_str_eq(document->history_table[0], "schema_migrations");
	cr_assert_eq(document->wave[0].schemas, 3);
	cr_assert_eq(document->statement_count, 6);
	cr_assert_eq(document->destructive_count, 3);
	cr_assert(document->shared_locks);
	const struct doc_segment *segment = document->program[0].segment;
	cr_assert_eq(document->program[0].segments, 2);
	cr_assert_str_eq(segment[0].before[0].text, "SELECT 'state'");
	cr_assert_null(segment[0].before[0].tag);
	cr_assert_str_eq(segment[0].after[0].tag, "INSERT");
	cr_assert_null(segment[0].after[0].answer);
	cr_assert_str_eq(segment[0].statement[0].step.text, "CREATE TABLE a()");
	cr_assert_eq(segment[0].statement[0].step.text_len, 16);
	cr_assert_eq(segment[0].statement[1].does, DOC_FILTERED);
	cr_assert(segment[0].migration[0].up);
	cr_assert(segment[1].statement[0].rewritten);
	cr_assert_null(segment[1].statement[0].step.tag);
	cr_assert_str_eq(segment[1].statement[0].lock[0], "public.users");
	cr_assert_eq(document->class[0].schemas, 3);
	cr_assert(document->class[0].has_shape_before);
	cr_assert_not(document->class[0].has_shape_after);
	cr_assert_eq(document->schema[2].oid, 1002);
	cr_assert_eq(document->schema[2].native_lock, -9007199254740993);
	cr_assert_eq(document->finding[0].class_index, 0);
	cr_assert_eq(document->finding[0].line, 0);
	cr_assert_str_eq(document->left_out[0].why, "dirty");
	document_free(document);
	buf_release(&json);
	bundle_close_db(db);
}

struct change { const char *from, *to; enum err_code code; const char *says; };
static const struct change changes[] = {
	{ "\"label\":\"prod\"", "\"label\":\"prod\",\"label\":\"test\"", ERR_FORMAT, "stands twice" },
	{ "\"label\":\"prod\"", "\"label\":\"prod\",\"l\\u0061bel\":\"test\"", ERR_FORMAT, "stands twice" },
	{ "\"waves\":", "\"waves\":[],\"waves\":", ERR_FORMAT, "stands twice" },
	{ "\"retries\":10", "\"retries\":10,\"retrys\":1", ERR_FORMAT, "\"retrys\" is not known" },
	{ "\"retries\":10", "\"x\":10", ERR_FORMAT, "\"retries\" is missing" },
	{ "\"retries\":10", "\"retries\":10.5", ERR_FORMAT, "type real" },
	{ "\"retries\":10", "\"retries\":1e1", ERR_FORMAT, "type real" },
	{ "\"retries\":10", "\"retries\":null", ERR_FORMAT, "must not be null" },
	{ "\"retries\":10", "\"retries\":-1", ERR_FORMAT, "not within" },
	{ "\"retries\":10", "\"retries\":99999999999999999999", ERR_FORMAT, "" },
	{ "\"database_oid\":5", "\"database_oid\":4294967296", ERR_FORMAT, "not within" },
	{ "\"label\":\"prod\"", "\"label\":\"pr\\u0000od\"", ERR_FORMAT, "NUL" },
	{ "\"label\":\"prod\"", "\"label\":\"pr\\ud800od\"", ERR_FORMAT, "UTF-8" },
	{ "\"label\":\"prod\"", "\"label\":\"pr\xff\"", ERR_FORMAT, "UTF-8" },
	{ "\"label\":\"prod\"", "label:\"prod\"", ERR_FORMAT, "not JSON" },
	{ "\"label\":\"prod\"", "\"label\":\"prod\" /* c */", ERR_FORMAT, "not JSON" },
	{ "\"label\":\"prod\"", "\"label\":[[[[[[[[[[[[[[[[[\"prod\"]]]]]]]]]]]]]]]]]", ERR_FORMAT, "deep" },
	{ "]}\n", "]}{}\n", ERR_FORMAT, "not JSON" },
	{ "pgdocket-document/1", "pgdocket-document/2", ERR_VERSION, "pgdocket-document/2" },
	{ "pgdocket-document/1", "other", ERR_FORMAT, "format" },
	{ "\"tenants_pattern\":null", "\"tenants_pattern\":\"t_*\"", ERR_FORMAT, "tenants query" },
	{ "\"target\":[{", "\"target\":[{},{", ERR_VERSION, "2 targets" },
	{ "\"transactional\":true", "\"transactional\":false", ERR_FORMAT, "\"alone\"" },
	{ "\"after\":[]}]}]", "\"after\":[],\"alone\":{\"object\":\"x\",\"probe\":null}}]}]", ERR_FORMAT, "\"alone\"" },
	{ "\"transactional\":true,\"shared_locks\":true,", "\"alone\":{\"object\":\"x\",\"probe\":null},\"transactional\":false,\"shared_locks\":true,",
	  ERR_FORMAT, "more than send one statement" },
	{ "\"transactional\":true", "\"transactional\":1", ERR_FORMAT, "neither true nor false" },
	{ "\"transaction\":\"migration\"", "\"transaction\":\"Migration\"", ERR_FORMAT, "words" },
	{ "\"program\":0", "\"program\":1", ERR_FORMAT, "program that is not there" },
	{ "\"program\":0", "\"program\":-1", ERR_FORMAT, "not within" },
	{ "\"class\":0,\"wave\":0", "\"class\":1,\"wave\":0", ERR_FORMAT, "is not there" },
	{ "\"class\":0,\"wave\":0", "\"class\":0,\"wave\":1", ERR_FORMAT, "is not there" },
	{ "\"class\":0,\"file\"", "\"class\":1,\"file\"", ERR_FORMAT, "finding" },
	{ "\"migration\":0", "\"migration\":1", ERR_FORMAT, "migration that is not there" },
	{ "\"number\":2,\"transactional\"", "\"number\":3,\"transactional\"", ERR_FORMAT, "numbered" },
	{ "\"number\":3,\"text\"", "\"number\":1,\"text\"", ERR_FORMAT, "numbered" },
	{ "tenant_00001", "tenant_00000", ERR_FORMAT, "stands twice" },
	{ "\"oid\":1001", "\"oid\":1000", ERR_FORMAT, "one oid" },
	{ "\"oid\":1001", "\"oid\":0", ERR_FORMAT, "to be made" },
	{ "tenant_00001", "", ERR_FORMAT, "shorter" },
	{ "tenant_00001", "t234567890123456789012345678901234567890123456789012345678901234", ERR_FORMAT, "longer" },
	{ "\"native_lock\":\"-9007199254740993\"", "\"native_lock\":\"1e3\"", ERR_FORMAT, "decimal" },
	{ "\"native_lock\":\"-9007199254740993\"", "\"native_lock\":5", ERR_FORMAT, "decimal" },
	{ "\"tag\":\"INSERT\"", "\"tag\":\"INSERT\",\"answer\":\"1\"", ERR_FORMAT, "answer nor a tag" },
	{ ",\"tag\":\"INSERT\"", "", ERR_FORMAT, "answer nor a tag" },
	{ "\"why\":\"public-only\"", "\"why\":null", ERR_FORMAT, "why" },
	{ "\"create_schema\":false", "\"create_schema\":true", ERR_FORMAT, "shape before" },
	{ "\"kind\":\"query\"", "\"kind\":\"statement\"", ERR_FORMAT, "not stored as the plan document states" },
	{ "\"size\":16", "\"size\":17", ERR_FORMAT, "not stored as the plan document states" },
	{ "\"pinned\":[[\"TimeZone\",\"UTC\"]]", "\"pinned\":[[\"TimeZone\"]]", ERR_FORMAT, "pair" },
};

static void changed(const struct change *change)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	struct digest digest;
	struct document *document = NULL;
	struct db *db = work(3);
	document_text(db, 3, &json);
	text_replace(&json, change->from, change->to);
	document_store(db, &json, "s", 1, &digest);
	cr_assert_eq(document_load(db, &digest, (int64_t)json.len, &document, &err), -1, "%s: accepted", change->to);
	cr_assert_eq(err.code, change->code, "%s: %d %s", change->to, (int)err.code, err.message);
	cr_assert(strstr(err.message, change->says), "%s: %s", change->to, err.message);
	cr_assert(err.reason[0] && err.hint[0], "%s", change->to);
	buf_release(&json);
	bundle_close_db(db);
	cr_assert_eq(unlink("work"), 0);
}

Test(document, refused_for_what_is_wrong)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		changed(&changes[i]);
}

/* What is wrong with the bundle and not with the document. sql is run after everything was stored. */
static void broken(const char *sql, const char *says)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	struct digest digest;
	struct document *document = NULL;
	struct db *db = work(3);
	document_text(db, 3, &json);
	document_store(db, &json, "s", 1, &digest);
	OK(db_exec(db, sql, &err));
	cr_assert_eq(document_load(db, &digest, (int64_t)json.len, &document, &err), -1, "%s", sql);
	cr_assert_eq(err_exit_status(&err), 3, "%s: %s", sql, err.message);
	cr_assert(strstr(err.message, says), "%s: %s", sql, err.message);
	buf_release(&json);
	bundle_close_db(db);
	cr_assert_eq(unlink("work"), 0);
}

Test(document, objects_must_fit)
{
	broken("DELETE FROM object WHERE kind = 'statement' AND size = 16", "missing");
	broken("DELETE FROM object WHERE kind = 'configuration'", "missing");
	broken("DELETE FROM object WHERE kind = 'document'", "missing");
	broken("INSERT INTO object SELECT x'00', kind, size, body FROM object LIMIT 1", "does not name");
	broken("UPDATE object SET body = x'789c030000000001' WHERE kind = 'query'", "not stored");
	broken("UPDATE object SET size = 15 WHERE kind = 'statement' AND size = 16", "not stored");
	broken("UPDATE object SET size = size + 1 WHERE kind = 'document'", "stated");
	broken("UPDATE object SET body = x'789c030000000001' WHERE kind = 'document'", "");
	broken("UPDATE object SET kind = 'evil' WHERE kind = 'shape'", "kind");
	broken("UPDATE object SET size = 9223372036854775807 WHERE kind = 'shape'", "");
	broken("UPDATE object SET size = -1 WHERE kind = 'shape'", "");
	broken("UPDATE class SET state = x'00'", "");
}

static int list_step(void *context, struct doc_step *step, const char *what, int number, struct err *err)
{
	(void)step, (void)err;
	buf_add_format(context, "%s %d\n", what ? what : "-", number);
	return 0;
}

/* verify looks at the first word of each: one that is left out here would be sent unseen. */
Test(document, every_step_is_visited)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES), list = BUF_INIT(1000);
	struct digest digest;
	struct document *document = NULL;
	struct db *db = work(3);
	document_text(db, 3, &json);
	document_store(db, &json, "s", 1, &digest);
	OK(document_load(db, &digest, (int64_t)json.len, &document, &err));
	document->program[0].segment[1].alone.has_probe = true;
	OK(document_each_step(document, list_step, &list, &err));
	cr_assert_str_eq(buf_text(&list), "step before the statements 1\nstatement 1\n- 2\nstep behind the statements 1\n"
	                                  "step behind the statements 2\nstatement 3\nprobe 1\nthe state query of class 1\n"
	                                  "the shape query of target 1\n");
	document_free(document);
	bundle_close_db(db);
	buf_release(&list);
	buf_release(&json);
}

Test(document, stated_size_and_digest)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	struct digest digest, other;
	struct document *document = NULL;
	struct db *db = work(3);
	document_text(db, 3, &json);
	document_store(db, &json, "s", 1, &digest);
	FAILS(document_load(db, &digest, (int64_t)json.len + 1, &document, &err), ERR_FORMAT);
	digest_of("x", 1, &other);
	FAILS(document_load(db, &other, (int64_t)json.len, &document, &err), ERR_FORMAT);
	bundle_close_db(db);
	buf_release(&json);
}

Test(document, ten_thousand_schemas)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	struct digest digest;
	struct document *document = NULL;
	struct db *db = work(10000);
	document_text(db, 10000, &json);
	document_store(db, &json, "s", 1, &digest);
	int64_t started = clock_monotonic_us();
	OK(document_load(db, &digest, (int64_t)json.len, &document, &err));
	int64_t took = clock_monotonic_us() - started;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "# %zu bytes, %lld us, %ld KiB\n", json.len, (long long)took, usage.ru_maxrss);
	cr_assert_eq(document->schemas, 10000);
	cr_assert_eq(document->statement_count, 20000);
#ifndef __SANITIZE_ADDRESS__
	cr_assert_lt(usage.ru_maxrss, 64 << 10);
	cr_assert_lt(took, 1000000, "%lld us", (long long)took);
#endif
	document_free(document);
	bundle_close_db(db);
	buf_release(&json);
}
