/* TRUST.md a.7, steps 2 to 10, in that order: the one way by which either program comes to believe
 * a bundle. There is no option to leave a step out. What it found is turned into text and JSON in
 * verify_report.c. */
#include "verify.h"
#include <string.h>
#include "record.h"

static const char *const altered =
	"The bundle was damaged or altered after it was signed: get it again from the planner.";

static int verify_refuse(const char *reason, const char *what, struct err *err)
{
	err_refuse(err, reason, "%s", what);
	return err_hint(err, "%s", altered);
}

/* The row's document must be the one that was signed: other readers find it by that column. */
static int verify_plan_row(struct db *db, const struct plan_statement *statement, struct err *err)
{
	struct db_query *query = NULL;
	struct digest document;
	bool row = false;
	int rc = db_prepare(db, "SELECT document FROM plan", &query, err) || db_step(query, &row, err)
		? -1
		: 0;
	if (!rc &&
		(!row || db_get_digest(query, 0, &document, err) ||
			!digest_equal(&document, &statement->document)))
		rc = verify_refuse("document",
			"the bundle's plan row names another document than the signed statement", err);
	db_finish(query);
	return rc;
}

/* What the statement says in words must be what the document says in full. */
static int verify_counts(
	const struct plan_statement *statement, const struct document *document, struct err *err)
{
	const struct { const char *what; int64_t signed_count, found; } counts[] = {
		{ "schemas", statement->schemas, (int64_t)document->schemas },
		{ "statements", statement->statements, document->statement_count },
		{ "destructive statements", statement->destructive, document->destructive_count },
		{ "as the database's oid", statement->database_oid, document->database_oid },
		{ "as the server's major version", statement->server_major,
			document->server_version / 10000 },
	};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		if (counts[i].signed_count == counts[i].found)
			continue;
		err_refuse(err, "document", "the signed statement says %lld %s, the plan document %lld",
			(long long)counts[i].signed_count, counts[i].what, (long long)counts[i].found);
		return err_hint(err, "%s", altered);
	}
	if (strcmp(statement->label, document->label) == 0 &&
		strcmp(statement->apply_host, document->apply_host) == 0 &&
		strcmp(statement->system_identifier, document->system_identifier) == 0 &&
		strcmp(statement->database, document->database) == 0)
		return 0;
	return verify_refuse(
		"document", "the signed statement and the plan document are for different targets", err);
}

static int verify_snapshot(
	struct db *db, const struct document *document, struct digest *snapshot, struct err *err)
{
	if (bundle_snapshot_digest(db, snapshot, err))
		return -1;
	if (digest_equal(snapshot, &document->snapshot))
		return 0;
	return verify_refuse(
		"snapshot", "the snapshot in the bundle is not the one that the plan was made from", err);
}

static int verify_rehearsal(
	const struct trust *trust, const struct document *document, struct err *err)
{
	for (size_t i = 0; trust_policy(trust)->require_rehearsal && i < document->classes; i++) {
		if (document->class[i].has_shape_after)
			continue;
		return err_refuse_hint(err, "rehearsal",
			"Rehearse the plan before it is signed, or set require-rehearsal: no in policy.conf.",
			"the policy wants plans that were rehearsed; class %d was not",
			document->class[i].number);
	}
	return 0;
}

static int verify_word(
	void *context, struct doc_step *step, const char *what, int number, struct err *err)
{
	char word[32];
	(void)context;
	if (!what || !document_first_word_refused(step->text, step->text_len, word))
		return 0;
	return err_refuse_hint(err, "first-word",
		"The planner never plans such a statement: do not apply this plan.",
		"%s %d begins with %s, which may not be sent: it controls the transaction or the session",
		what, number, word);
}

int verify_content(struct verified *verified, const struct trust *trust, struct err *err)
{
	const struct plan_statement *statement = &verified->trust.statement;
	struct db *db = bundle_db(verified->bundle);
	if (verify_plan_row(db, statement, err) ||
		document_load(
			db, &statement->document, statement->document_size, &verified->document, err) ||
		verify_counts(statement, verified->document, err) ||
		verify_snapshot(db, verified->document, &verified->snapshot, err) ||
		record_verify_chains(db, &verified->trust.plan, NULL, err) ||
		verify_rehearsal(trust, verified->document, err) ||
		document_each_step(verified->document, verify_word, NULL, err))
		return -1;
	return 0;
}

/* Whose records are believed: the host's that the plan names; with "any", our own and those of
 * hosts that the policy knows. */
struct verify_hosts {
	const struct trust *trust;
	const char *apply_host;
	int64_t now_us;
};

static bool verify_host(const struct verify_hosts *hosts, const struct ssh_public_key *host)
{
	const struct ssh_private_key *own = trust_host_key(hosts->trust);
	char fingerprint[SSHSIG_FINGERPRINT_SIZE], ours[SSHSIG_FINGERPRINT_SIZE] = "";
	const char *principal = NULL;
	ssh_public_key_fingerprint(host, fingerprint);
	if (strcmp(hosts->apply_host, "any") != 0)
		return strcmp(hosts->apply_host, fingerprint) == 0;
	if (own)
		ssh_public_key_fingerprint(ssh_private_key_public(own), ours);
	return strcmp(ours, fingerprint) == 0 ||
		trust_signer(hosts->trust, host, NAMESPACE_RESULT, hosts->now_us, &principal);
}

static int verify_run(void *context, const char *run, const struct digest *head, int64_t records,
	int64_t unsigned_records, const struct ssh_public_key *host, struct err *err)
{
	(void)head, (void)records;
	if (host && !unsigned_records && verify_host(context, host))
		return 0;
	err_refuse(err, "audit", "run %s: %s", run,
		!host || unsigned_records ? "records stand behind no signature of a host"
								  : "its records are signed by a host that may not apply it");
	return err_hint(err,
		"get the bundle again from the host that applied it; with apply-host any, pgdocket trust "
		"add DIR --role host names a host");
}

int verify_bundle(const char *path, const struct trust *trust, const char *operator_name,
	int64_t now_us, struct verified *out, struct err *err)
{
	memset(out, 0, sizeof *out);
	if (bundle_open(path, &out->bundle, err))
		return -1;
	if (trust_judge(trust, bundle_db(out->bundle), now_us, operator_name, &out->trust, err) ||
		verify_content(out, trust, err))
		return err_context(err, "%s", path);
	return 0;
}

int verify_runs(
	struct verified *verified, const struct trust *trust, int64_t now_us, struct err *err)
{
	struct verify_hosts hosts = { trust, verified->trust.statement.apply_host, now_us };
	const struct record_visitor visitor = { &hosts, NULL, verify_run };
	return record_verify_chains(
		bundle_db(verified->bundle), &verified->trust.plan, &visitor, err);
}

void verify_release(struct verified *verified)
{
	document_free(verified->document);
	bundle_close(verified->bundle);
	verified->document = NULL;
	verified->bundle = NULL;
}
