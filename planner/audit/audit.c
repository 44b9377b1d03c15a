/*
 * The order of an audit: chains first, because they say when the plan ran; then everything that
 * verify checks, as of that time; then the records against the plan. Decides what is complete.
 * Prints nothing and knows no policy of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audit_private.h"
#include "clock.h"
#include "sql.h"

/* The digest of the statement's bytes: what seq 0 of every chain points to. */
static int read_plan_digest(struct db *db, struct digest *plan, struct err *err)
{
	struct db_query *query = NULL;
	const void *bytes;
	size_t len;
	bool row = false;
	int result = -1;
	if (db_prepare(db, sql_select_plan, &query, err) || db_step(query, &row, err))
		goto out;
	if (!row) {
		err_set(err, ERR_PLAN, "the bundle has no plan, so there is nothing to audit");
		err_hint(err, "pgdocket plan makes one; pgdocket status shows the snapshot");
		goto out;
	}
	if (db_get_blob(query, 0, &bytes, &len, err))
		goto out;
	digest_of(bytes, len, plan);
	result = 0;
out:
	db_finish(query);
	return result;
}

static int read_runs(struct audit *audit, const char *path, const struct trust *trust,
	struct digest *file, struct err *err)
{
	struct bundle *bundle = NULL;
	int result = -1;
	if (bundle_open(path, &bundle, err) || read_plan_digest(bundle_db(bundle), &audit->plan, err) ||
	    audit_records_runs(audit, bundle_db(bundle), trust, err))
		goto out;
	*file = *bundle_digest(bundle);
	result = 0;
out:
	bundle_close(bundle);
	return result;
}

/*
 * Reasons that only say "not to be run now", which for a plan without a run is a finding, not a
 * forgery.
 */
static bool only_unapproved(const struct err *err)
{
	static const char *const reasons[] = { "quorum", "rejected", "expired", "not-yet", "age" };
	for (size_t i = 0; err->code == ERR_REFUSED && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(err->reason, reasons[i]) == 0)
			return true;
	return false;
}

/* A rejection that came when the plan had run already takes nothing back; it is reported. */
static bool rejected_later(const struct audit *audit, const struct err *err)
{
	const struct trust_result *result = &audit->verified.trust;
	if (!audit->runs || err->code != ERR_REFUSED || strcmp(err->reason, "rejected") != 0)
		return false;
	for (size_t i = 0; i < result->signatures; i++)
		if (result->signature[i].verdict == VERDICT_REJECTS &&
			result->signature[i].signed_at_us <= audit->run[0].started_us)
			return false;
	return result->approvals >= result->approvals_required;
}

static int verify(struct audit *audit, const char *path, const struct trust *trust, struct err *err)
{
	struct err refused = ERR_INIT;
	const char *operator_name = audit->runs ? audit->run[0].operator_name : NULL;
	if (!verify_bundle(path, trust, operator_name, audit->judged_us, &audit->verified, &refused))
		return 0;
	if (rejected_later(audit, &refused))
		return verify_content(&audit->verified, trust, err);
	if (!audit->runs && only_unapproved(&refused)) {
		audit->not_approved = true;
		snprintf(audit->refusal, sizeof(audit->refusal), "%s", refused.message);
		return verify_content(&audit->verified, trust, err);
	}
	*err = refused;
	if (audit->runs && only_unapproved(err))
		err_context(err, "when run %.8s began", audit->run[0].id);
	return -1;
}

/* Later runs: the approvals had to hold then, too. */
static int judge_later_runs(struct audit *audit, const struct trust *trust, struct err *err)
{
	struct trust_result *result = malloc(sizeof(*result));
	int status = -1;
	if (!result)
		return err_nomem(err);
	for (size_t i = 1; i < audit->runs; i++) {
		struct err refused = ERR_INIT;
		memset(result, 0, sizeof(*result));
		if (!trust_judge(trust, bundle_db(audit->verified.bundle), audit->run[i].started_us,
				audit->run[i].operator_name, result, &refused) ||
			strcmp(refused.reason, "rejected") == 0)
			continue;
		*err = refused;
		err_context(err, "when run %.8s began", audit->run[i].id);
		goto out;
	}
	status = 0;
out:
	free(result);
	return status;
}

static int note_expiry(
	struct audit *audit, const struct trust *trust, int64_t now_us, struct err *err)
{
	struct trust_result *result = calloc(1, sizeof(*result));
	struct err refused = ERR_INIT;
	if (!result)
		return err_nomem(err);
	bool stands = !trust_judge(
		trust, bundle_db(audit->verified.bundle), now_us, NULL, result, &refused);
	audit->expired_since = audit->runs &&
		(stands ? result->expired : strcmp(refused.reason, "rejected") != 0);
	free(result);
	return 0;
}

/*
 * Checkpoints are the host's word: the host that the signed statement names, or one that the
 * policy names.
 */
struct host_pass {
	struct audit *audit;
	const struct trust *trust;
};

static int check_host(void *context, const char *id, const struct digest *head, int64_t records,
	int64_t unsigned_records, const struct ssh_public_key *host, struct err *err)
{
	struct host_pass *pass = context;
	const char *wanted = pass->audit->verified.trust.statement.apply_host;
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	const char *principal = NULL;
	(void)head;
	(void)records;
	(void)unsigned_records;
	ssh_public_key_fingerprint(host, fingerprint);
	for (size_t i = 0; i < pass->audit->runs; i++) {
		struct audit_run *run = &pass->audit->run[i];
		if (strcmp(run->id, id) != 0)
			continue;
		if (strcmp(wanted, "any") != 0) {
			if (strcmp(wanted, fingerprint) == 0)
				return 0;
			err_refuse(err, "audit",
				"run %s: its checkpoints are signed by %s, the plan is for host %s", id,
				fingerprint, wanted);
			return err_hint(err, "these records were not written by the host that the plan names");
		}
		if (trust_signer(pass->trust, host, NAMESPACE_RESULT, run->started_us, &principal)) {
			run->host_principal = principal;
			return 0;
		}
	}
	err_refuse(err, "audit",
		"run %s: its checkpoints are signed by %s, which the policy knows as no host", id,
		fingerprint);
	return err_hint(err,
		"pgdocket trust add DIR --role host --principal NAME --key FILE.pub, if that host may "
		"apply");
}

static int check_hosts(
	struct audit *audit, const struct trust *trust, struct db *db, struct err *err)
{
	struct host_pass pass = { audit, trust };
	const struct record_visitor visitor = { &pass, NULL, check_host };
	return record_verify_chains(db, &audit->plan, &visitor, err);
}

static int compare_names(const void *a, const void *b, void *context)
{
	const struct document *document = context;
	return strcmp(document->schema[*(const int *)a].name, document->schema[*(const int *)b].name);
}

/* One struct per schema, wave and class of the plan, nothing done yet. */
static int prepare(struct audit *audit, struct err *err)
{
	const struct document *document = audit->verified.document;
	audit->schemas = document->schemas;
	audit->schema = arena_array(audit->arena, document->schemas, sizeof(*audit->schema), err);
	audit->by_name = arena_array(audit->arena, document->schemas, sizeof(*audit->by_name), err);
	audit->wave = arena_array(audit->arena, document->waves, sizeof(*audit->wave), err);
	audit->class = arena_array(audit->arena, document->classes, sizeof(*audit->class), err);
	if (!audit->schema || !audit->by_name || !audit->wave || !audit->class)
		return -1;
	for (size_t i = 0; i < document->schemas; i++) {
		struct audit_schema *schema = &audit->schema[i];
		schema->segments = (int)audit_program(audit, document->schema[i].class_index)->segments;
		schema->last_error = -1;
		schema->done_by = arena_array(audit->arena, (size_t)schema->segments, sizeof(int), err);
		if (!schema->done_by)
			return -1;
		memset(schema->done_by, 0xff, (size_t)schema->segments * sizeof(int));
		audit->by_name[i] = (int)i;
	}
	qsort_r(audit->by_name, audit->schemas, sizeof(*audit->by_name), compare_names,
		audit->verified.document);
	return 0;
}

static enum audit_standing standing_of(const struct audit_schema *schema)
{
	if (schema->segments_done == schema->segments)
		return AUDIT_DONE;
	if (schema->last_error >= 0)
		return AUDIT_FAILED;
	return schema->segments_done ? AUDIT_PARTLY : AUDIT_LEFT;
}

static void count(struct audit_count *count, enum audit_standing standing)
{
	count->schemas++;
	count->by_standing[standing]++;
}

static void summarise(struct audit *audit)
{
	const struct document *document = audit->verified.document;
	for (size_t i = 0; i < audit->schemas; i++) {
		struct audit_schema *schema = &audit->schema[i];
		schema->standing = standing_of(schema);
		count(&audit->total, schema->standing);
		count(&audit->wave[document->schema[i].wave], schema->standing);
		count(&audit->class[document->schema[i].class_index], schema->standing);
	}
	bool unsigned_records = false;
	for (size_t i = 0; i < audit->runs; i++) {
		struct audit_run *run = &audit->run[i];
		unsigned_records = unsigned_records || run->unsigned_records > 0;
		/* A run-end behind the last checkpoint proves nothing. */
		if (run->unsigned_records && run->ended_us) {
			run->ended_us = 0;
			run->result = run->why = "";
		}
		audit->run_says_complete = audit->run_says_complete || strcmp(run->result, "complete") == 0;
	}
	audit->complete = audit->runs && !unsigned_records && audit->run_says_complete &&
	                  audit->total.by_standing[AUDIT_DONE] == audit->total.schemas;
}

static int read_all(struct audit *audit, const char *path, const struct trust *trust,
	int64_t now_us, struct err *err)
{
	struct digest file;
	if (read_runs(audit, path, trust, &file, err))
		return -1;
	audit->judged_at_run = audit->runs > 0;
	audit->judged_us = audit->runs ? audit->run[0].started_us : now_us;
	if (verify(audit, path, trust, err))
		return -1;
	if (!digest_equal(&file, bundle_digest(audit->verified.bundle)))
		return err_set(err, ERR_IO, "%s changed while it was read", path);
	struct db *db = bundle_db(audit->verified.bundle);
	if (check_hosts(audit, trust, db, err) || judge_later_runs(audit, trust, err) ||
		note_expiry(audit, trust, now_us, err) || prepare(audit, err) ||
		audit_records_events(audit, db, err))
		return -1;
	summarise(audit);
	return 0;
}

int audit_read(const char *path, const struct trust *trust, int64_t now_us, struct audit **out,
	struct err *err)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	if (!audit)
		return err_nomem(err);
	audit->arena = arena_new(AUDIT_ARENA_MAX_BYTES);
	if (!audit->arena)
		err_nomem(err);
	else if (!read_all(audit, path, trust, now_us, err)) {
		*out = audit;
		return 0;
	}
	audit_free(audit);
	return -1;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	verify_release(&audit->verified);
	arena_free(audit->arena);
	free(audit);
}

bool audit_complete(const struct audit *audit)
{
	return audit->complete;
}
