/* A bundle with a small plan whose document can be changed text by text before it is stored. */
#ifndef DOCUMENT_FIXTURE_H
#define DOCUMENT_FIXTURE_H

#include "bundle_fixture.h"
#include "document.h"

static inline void put_named(struct db *db, const char *kind, const char *text, char hex[DIGEST_HEX_SIZE])
{
	struct err err = ERR_INIT;
	struct digest digest;
	OK(object_put(db, kind, text, strlen(text), &digest, &err));
	digest_hex(&digest, hex);
}

static inline void add_objects(struct db *db, struct buf *json)
{
	struct err err = ERR_INIT;
	struct db_query *query = NULL;
	bool row = false;
	OK(db_prepare(db, "SELECT digest FROM object ORDER BY digest", &query, &err));
	for (;;) {
		struct object_facts facts;
		struct digest digest;
		const void *bytes;
		size_t len;
		char hex[DIGEST_HEX_SIZE], stored[DIGEST_HEX_SIZE];
		OK(db_step(query, &row, &err));
		if (!row)
			break;
		OK(db_get_blob(query, 0, &bytes, &len, &err));
		memcpy(digest.bytes, bytes, DIGEST_SIZE);
		OK(object_facts(db, &digest, &facts, &err));
		digest_hex(&digest, hex);
		digest_hex(&facts.stored, stored);
		buf_add_format(json, "%s{\"digest\":\"%s\",\"kind\":\"%s\",\"size\":%lld,\"stored\":\"%s\",\"stored_size\":%lld}",
		               json->data[json->len - 1] == '[' ? "" : ",", hex, facts.kind, (long long)facts.size, stored,
		               (long long)facts.stored_size);
	}
	db_finish(query);
}

/* The document of a plan for all schemas of bundle_fill: one class, two segments, a statement filtered, one destructive. */
static inline void document_text(struct db *db, int schemas, struct buf *json)
{
	struct err err = ERR_INIT;
	struct digest snapshot;
	char create[DIGEST_HEX_SIZE], drop[DIGEST_HEX_SIZE], users[DIGEST_HEX_SIZE], guard[DIGEST_HEX_SIZE], row[DIGEST_HEX_SIZE];
	char none[DIGEST_HEX_SIZE], one[DIGEST_HEX_SIZE], two[DIGEST_HEX_SIZE], shape[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	char query[DIGEST_HEX_SIZE], file[DIGEST_HEX_SIZE];
	put_named(db, "statement", "CREATE TABLE a()", create);
	put_named(db, "statement", "DROP TABLE b", drop);
	put_named(db, "statement", "ALTER TABLE users ADD x int", users);
	put_named(db, "query", "SELECT 'state'", guard);
	put_named(db, "query", "SELECT oid, fingerprint", query);
	put_named(db, "statement", "INSERT INTO schema_migrations VALUES (1, false)", row);
	put_named(db, "state", "none\n", none);
	put_named(db, "state", "golang-migrate\n1 f\n", one);
	put_named(db, "state", "golang-migrate\n2 f\n", two);
	put_named(db, "shape", "", shape);
	put_named(db, "migration", "CREATE TABLE a();\n", file);
	OK(bundle_snapshot_digest(db, &snapshot, &err));
	digest_hex(&snapshot, hex);
	buf_add_format(json,
	               "{\"format\":\"pgdocket-document/1\",\"target\":[{\"number\":1,\"label\":\"prod\",\"apply_host\":\"any\","
	               "\"system_identifier\":\"7000\",\"database_oid\":5,\"database\":\"app\",\"server_version\":150018,"
	               "\"shared_schema\":\"public\",\"tenants_query\":\"SELECT 1\",\"tenants_pattern\":null,\"snapshot\":\"%s\"}],"
	               "\"settings\":{\"transaction\":\"migration\",\"guard\":\"normal\",\"lock_timeout_ms\":2000,"
	               "\"statement_timeout_ms\":1800000,\"retries\":10,\"search_path\":[\"$schema\",\"public\"],"
	               "\"pinned\":[[\"TimeZone\",\"UTC\"]]},\"shape_guard\":{\"text\":\"%s\",\"history_tables\":[\"schema_migrations\"]},"
	               "\"waves\":[{\"name\":\"rest\",\"max_failures\":0}],",
	               hex, query);
	buf_add_format(json,
	               "\"programs\":[{\"number\":1,\"revert\":false,\"segments\":[{\"number\":1,\"transactional\":true,"
	               "\"shared_locks\":false,\"create_schema\":false,\"state_before\":\"%s\",\"state_after\":\"%s\","
	               "\"migrations\":[{\"version\":\"1\",\"name\":\"first\",\"file\":\"1_first.up.sql\",\"direction\":\"up\",\"text\":\"%s\"}],"
	               "\"before\":[{\"text\":\"%s\",\"answer\":\"%s\"}],"
	               "\"statements\":[{\"number\":1,\"text\":\"%s\",\"tag\":\"CREATE TABLE\",\"migration\":0,\"line\":1,\"does\":\"run\","
	               "\"why\":null,\"original\":null,\"destructive\":false,\"locks\":[]},"
	               "{\"number\":2,\"text\":\"%s\",\"tag\":\"ALTER TABLE\",\"migration\":0,\"line\":2,\"does\":\"filtered\","
	               "\"why\":\"public-only\",\"original\":null,\"destructive\":true,\"locks\":[]}],"
	               "\"after\":[{\"text\":\"%s\",\"tag\":\"INSERT\"},{\"text\":\"%s\",\"answer\":\"x\"}]},",
	               none, one, file, guard, none, create, users, row, guard);
	buf_add_format(json,
	               "{\"number\":2,\"transactional\":true,\"shared_locks\":true,\"create_schema\":false,\"state_before\":\"%s\","
	               "\"state_after\":\"%s\",\"migrations\":[{\"version\":\"2\",\"name\":\"second\",\"file\":\"2_second.up.sql\","
	               "\"direction\":\"up\",\"text\":\"%s\"}],\"before\":[],\"statements\":[{\"number\":3,\"text\":\"%s\",\"tag\":null,"
	               "\"migration\":0,\"line\":7,\"does\":\"run\",\"why\":\"said so\",\"original\":\"%s\",\"destructive\":true,"
	               "\"locks\":[\"public.users\"]}],\"after\":[]}]}],",
	               one, two, file, drop, users);
	buf_add_format(json,
	               "\"classes\":[{\"number\":1,\"scope\":\"tenant\",\"adapter\":\"golang-migrate\",\"state_before\":\"%s\","
	               "\"state_after\":\"%s\",\"shape_before\":\"%s\",\"shape_after\":null,\"read_state\":\"%s\",\"program\":0}],"
	               "\"schemas\":[",
	               none, two, shape, guard);
	for (int i = 0; i < schemas; i++)
		buf_add_format(json, "%s{\"name\":\"tenant_%05d\",\"oid\":%d,\"class\":0,\"wave\":0,\"native_lock\":\"-9007199254740993\"}",
		               i ? "," : "", i, 1000 + i);
	buf_add_text(json, "],\"findings\":[{\"rule\":\"filtered\",\"severity\":\"info\",\"message\":\"m\",\"hint\":null,\"class\":0,"
	                   "\"file\":null,\"line\":null,\"accepted\":null}],\"left_out\":[{\"name\":\"tenant_x\",\"why\":\"dirty\"}],"
	                   "\"objects\":[");
	add_objects(db, json);
	buf_add_text(json, "]}\n");
	OK(buf_check(json, &err));
}

/* Replace the first `from` by `to`. */
static inline void text_replace(struct buf *json, const char *from, const char *to)
{
	struct err err = ERR_INIT;
	struct buf changed = BUF_INIT(DOCUMENT_MAX_BYTES);
	char *at = strstr(json->data, from);
	cr_assert(at, "%s is not there", from);
	buf_add(&changed, json->data, (size_t)(at - json->data));
	buf_add_text(&changed, to);
	buf_add_text(&changed, at + strlen(from));
	OK(buf_check(&changed, &err));
	buf_release(json);
	*json = changed;
}

/* Store it and its plan row; statement: bytes of the plan's row. */
static inline void document_store(struct db *db, const struct buf *json, const void *statement, size_t len, struct digest *digest)
{
	struct err err = ERR_INIT;
	struct db_query *query = NULL;
	OK(object_put(db, "document", json->data, json->len, digest, &err));
	OK(db_exec(db, "DELETE FROM plan", &err));
	OK(db_prepare(db, "INSERT INTO plan VALUES (1, ?1, ?2)", &query, &err));
	db_bind_blob(query, 1, statement, len);
	db_bind_blob(query, 2, digest->bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
}

#endif
