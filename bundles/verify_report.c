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
	char time[CLOCK_SECONDS_SIZE];
	report_label(out,
		ignored                                     ? "ignored"
			: !approval                             ? "planned by"
			: signature->verdict == VERDICT_REJECTS ? "rejected by"
													: "approved by");
	report_safe(out, signature->principal[0] ? signature->principal : "an unknown key");
	buf_add_format(out, " (%s)", signature->fingerprint);
	if (signature->signed_at_us) {
		clock_seconds(signature->signed_at_us, time);
		buf_add_format(out, ", %s", time);
	}
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
	char hex[DIGEST_HEX_SIZE], from[CLOCK_SECONDS_SIZE], until[CLOCK_SECONDS_SIZE];
	digest_hex(&verified->trust.plan, hex);
	clock_seconds(statement->not_before_us, from);
	clock_seconds(statement->expires_us, until);
	report_label(out, "plan");
	buf_add_format(out, "%.12s, ticket ", hex);
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
	buf_add_format(out, "%s to %s\n", from, until);
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

static void json_text(struct buf *out, const char *key, const char *value)
{
	buf_add_format(out, ",\"%s\":", key);
	text_json(out, value, strlen(value));
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
	char time[CLOCK_SECONDS_SIZE];
	clock_seconds(us, time);
	json_text(out, key, time);
}

static void json_digest(struct buf *out, const char *key, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE];
	digest_hex(digest, hex);
	json_text(out, key, hex);
}

static void json_signature(struct buf *out, const struct trust_signature *signature)
{
	buf_add_format(out, "{\"verdict\":\"%s\"", verdict_words[signature->verdict]);
	json_text(out, "namespace", signature->name_space);
	json_text(out, "principal", signature->principal);
	json_text(out, "fingerprint", signature->fingerprint);
	if (signature->signed_at_us)
		json_time(out, "signed_at", signature->signed_at_us);
	json_text(out, "ticket", signature->ticket);
	json_text(out, "comment", signature->comment);
	json_text(out, "why", signature->why);
	buf_add_char(out, '}');
}

static void json_statement(struct buf *out, const struct plan_statement *statement)
{
	json_text(out, "label", statement->label);
	json_text(out, "apply_host", statement->apply_host);
	json_text(out, "system_identifier", statement->system_identifier);
	json_number(out, "database_oid", statement->database_oid);
	json_text(out, "database", statement->database);
	json_number(out, "server_major", statement->server_major);
	json_number(out, "schemas", statement->schemas);
	json_number(out, "statements", statement->statements);
	json_number(out, "destructive", statement->destructive);
	json_time(out, "created", statement->created_us);
	json_time(out, "not_before", statement->not_before_us);
	json_time(out, "expires", statement->expires_us);
	json_text(out, "ticket", statement->ticket);
	json_digest(out, "document", &statement->document);
}

int verify_report_json(const struct verified *verified, struct buf *out, struct err *err)
{
	const struct trust_result *trust = &verified->trust;
	buf_add_text(out, "{\"verified\":true");
	json_text(out, "file", bundle_path(verified->bundle));
	json_digest(out, "bundle", bundle_digest(verified->bundle));
	json_digest(out, "plan", &trust->plan);
	json_statement(out, &trust->statement);
	json_digest(out, "snapshot", &verified->snapshot);
	json_text(out, "planner", trust->planner);
	json_number(out, "approvals", trust->approvals);
	json_number(out, "approvals_required", trust->approvals_required);
	json_bool(out, "expired", trust->expired);
	json_text(out, "expired_why", trust->expired_why);
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
