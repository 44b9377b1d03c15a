/* What verification found, for people and for programs: both programs print the same. It says what
 * was not checked as plainly as what was, and shows text of the bundle only escaped. */
#include <string.h>
#include "clock.h"
#include "text.h"
#include "verify.h"

static const char *const verdict_words[] = { "counts", "rejects", "ignored" };

static void report_label(struct buf *out, const char *label)
{
	buf_add_format(out, "  %-12s ", label);
}

static void report_safe(struct buf *out, const char *text)
{
	text_safe(out, text, strlen(text));
}

static void report_signature(struct buf *out, const struct trust_signature *signature)
{
	bool approval = strcmp(signature->name_space, NAMESPACE_APPROVE) == 0,
		 ignored = signature->verdict == VERDICT_IGNORED;
	report_label(out,
		ignored                                     ? "ignored"
			: !approval                             ? "planned by"
			: signature->verdict == VERDICT_REJECTS ? "rejected by"
													: "approved by");
	report_safe(out, signature->principal[0] ? signature->principal : "an unknown key");
	buf_add_format(out, " (%s)", signature->fingerprint);
	if (signature->signed_at_us)
		buf_add_format(out, ", %s", clock_text(signature->signed_at_us).text);
	if (signature->comment[0] && strcmp(signature->comment, "none") != 0) {
		buf_add_text(out, ": ");
		report_safe(out, signature->comment);
	}
	if (signature->why[0]) {
		buf_add_text(out, !ignored ? ", " : approval ? ", approval: " : ", plan: ");
		report_safe(out, signature->why);
	}
	buf_add_char(out, '\n');
}

static void report_plan(struct buf *out, const struct verified *verified)
{
	const struct plan_statement *statement = &verified->trust.statement;
	report_label(out, "plan");
	buf_add_format(out, "%.12s, ticket ", digest_text(&verified->trust.plan).hex);
	report_safe(out, statement->ticket);
	buf_add_char(out, '\n');
	report_label(out, "for");
	report_safe(out, statement->label);
	buf_add_text(out, ": database ");
	report_safe(out, statement->database);
	buf_add_format(out, ", PostgreSQL %d, system ", statement->server_major);
	report_safe(out, statement->system_identifier);
	buf_add_format(out, ", host %s\n", statement->apply_host);
	report_label(out, "does");
	buf_add_format(out, "%lld statements in %lld schemas, %lld of them destructive\n",
		(long long)statement->statements, (long long)statement->schemas,
		(long long)statement->destructive);
	report_label(out, "valid");
	buf_add_format(out, "%s to %s\n", clock_text(statement->not_before_us).text,
		clock_text(statement->expires_us).text);
	if (!verified->trust.expired)
		return;
	report_label(out, "expired");
	report_safe(out, verified->trust.expired_why);
	buf_add_char(out, '\n');
}

int verify_report(const struct verified *verified, struct buf *out, struct err *err)
{
	const struct trust_result *trust = &verified->trust;
	report_safe(out, bundle_path(verified->bundle));
	buf_add_text(out, trust->expired
		? ": verified, but expired: only a run that has begun may go on\n" : ": verified\n");
	report_plan(out, verified);
	for (size_t i = 0; i < trust->signatures; i++)
		report_signature(out, &trust->signature[i]);
	report_label(out, "approvals");
	buf_add_format(
		out, "%d of %d that the policy requires\n", trust->approvals, trust->approvals_required);
	if (trust->ignored_rows) {
		report_label(out, "not examined");
		buf_add_format(out, "%zu more signatures (at most %d are)\n", trust->ignored_rows,
			TRUST_SIGNATURES_MAX);
	}
	report_label(out, "not checked");
	buf_add_format(out, "%sthe server: `pgdocket-apply check` does that\n",
		trust->apply_host_unchecked ? "the applying host, as there is no host_key.pem here; " : "");
	return buf_check(out, err);
}

static void json_number(struct buf *out, const char *key, int64_t value)
{
	buf_add_format(out, ",\"%s\":%lld", key, (long long)value);
}

static void json_bool(struct buf *out, const char *key, bool value)
{
	buf_add_format(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void json_time(struct buf *out, const char *key, int64_t us)
{
	text_json_pair(out, key, clock_text(us).text);
}

static void json_digest(struct buf *out, const char *key, const struct digest *digest)
{
	text_json_pair(out, key, digest_text(digest).hex);
}

static void json_signature(struct buf *out, const struct trust_signature *signature)
{
	buf_add_format(out, "{\"verdict\":\"%s\"", verdict_words[signature->verdict]);
	text_json_pair(out, "namespace", signature->name_space);
	text_json_pair(out, "principal", signature->principal);
	text_json_pair(out, "fingerprint", signature->fingerprint);
	if (signature->signed_at_us)
		json_time(out, "signed_at", signature->signed_at_us);
	text_json_pair(out, "ticket", signature->ticket);
	text_json_pair(out, "comment", signature->comment);
	text_json_pair(out, "why", signature->why);
	buf_add_char(out, '}');
}

static void json_statement(struct buf *out, const struct plan_statement *statement)
{
	text_json_pair(out, "label", statement->label);
	text_json_pair(out, "apply_host", statement->apply_host);
	text_json_pair(out, "system_identifier", statement->system_identifier);
	json_number(out, "database_oid", statement->database_oid);
	text_json_pair(out, "database", statement->database);
	json_number(out, "server_major", statement->server_major);
	json_number(out, "schemas", statement->schemas);
	json_number(out, "statements", statement->statements);
	json_number(out, "destructive", statement->destructive);
	json_time(out, "created", statement->created_us);
	json_time(out, "not_before", statement->not_before_us);
	json_time(out, "expires", statement->expires_us);
	text_json_pair(out, "ticket", statement->ticket);
	json_digest(out, "document", &statement->document);
}

int verify_report_json(const struct verified *verified, struct buf *out, struct err *err)
{
	const struct trust_result *trust = &verified->trust;
	buf_add_text(out, "{\"verified\":true");
	text_json_pair(out, "file", bundle_path(verified->bundle));
	json_digest(out, "bundle", bundle_digest(verified->bundle));
	json_digest(out, "plan", &trust->plan);
	json_statement(out, &trust->statement);
	json_digest(out, "snapshot", &verified->snapshot);
	text_json_pair(out, "planner", trust->planner);
	json_number(out, "approvals", trust->approvals);
	json_number(out, "approvals_required", trust->approvals_required);
	json_bool(out, "expired", trust->expired);
	text_json_pair(out, "expired_why", trust->expired_why);
	json_bool(out, "apply_host_checked", !trust->apply_host_unchecked);
	json_number(out, "signatures_not_examined", (int64_t)trust->ignored_rows);
	buf_add_text(out, ",\"signatures\":[");
	for (size_t i = 0; i < trust->signatures; i++) {
		if (i)
			buf_add_char(out, ',');
		json_signature(out, &trust->signature[i]);
	}
	buf_add_text(out, "]}\n");
	return buf_check(out, err);
}
