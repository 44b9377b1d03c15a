/*
 * Applies a policy to a bundle's plan statement and signatures (TRUST.md a.7, steps 4 to 7). Counts people, never keys or
 * signatures. Sees bytes that nobody vouches for: it verifies first, reads second, and examines at most
 * TRUST_SIGNATURES_MAX rows.
 */
#include "trust.h"

#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "plan_statement.h"
#include "sql.h"
#include "sshkey.h"
#include "trust_inside.h"

#define US_PER_MS INT64_C(1000)

/* What stands beside a trust_signature while it is judged. */
struct vote {
	bool plan, approves, rejects; /* a verified signature of someone who may; at most one is set */
	bool late;                    /* an approval that expired, by less than resume-grace */
	const char *principal;        /* borrowed from trust */
};

struct judging {
	const struct trust *trust;
	int64_t now_us;
	const char *operator_name;
	struct trust_result *result;
	struct vote vote[TRUST_SIGNATURES_MAX]; /* of result->signature */
};

struct row { /* borrowed from the query */
	struct digest statement, key;
	const void *body, *signature;
	size_t body_len, signature_len;
};

static void ignore(struct trust_signature *signature, const char *why)
{
	signature->verdict = VERDICT_IGNORED;
	snprintf(signature->why, sizeof(signature->why), "%s", why);
}

/* Any line of allowed_signers with this key; a key has one principal. */
static const struct signer *find_key(const struct trust *trust, const struct digest *key)
{
	for (size_t i = 0; i < trust->signers.count; i++)
		if (digest_equal(&trust->signers.item[i].key, key))
			return &trust->signers.item[i];
	return NULL;
}

static const struct signer *find_signer(const struct trust *trust, const struct digest *key, unsigned bit)
{
	for (size_t i = 0; i < trust->signers.count; i++)
		if (digest_equal(&trust->signers.item[i].key, key) && trust->signers.item[i].namespaces & bit)
			return &trust->signers.item[i];
	return NULL;
}

/* The row is what it says it is: digests of body and key, and the signature holds. NULL: yes. */
static const char *genuine(const struct row *row, const char *name_space, struct err *err)
{
	struct digest digest;
	struct ssh_public_key key;
	digest_of(row->body, row->body_len, &digest);
	if (row->body_len > STATEMENT_MAX_BYTES || !digest_equal(&digest, &row->statement))
		return "the row is damaged: its digest is not that of its bytes";
	if (sshsig_verify(row->signature, row->signature_len, name_space, row->body, row->body_len, &key, err))
		return err->message;
	ssh_public_key_digest(&key, &digest);
	return digest_equal(&digest, &row->key) ? NULL : "the row is damaged: another key made its signature";
}

/* Why the key's owner may not sign this now, or NULL. A rejection stands whatever the time. */
static const char *may_sign(const struct judging *judging, const struct row *row, unsigned bit, bool any_time)
{
	const struct signer *signer = find_signer(judging->trust, &row->key, bit);
	if (trust_has(&judging->trust->revoked_keys, &row->key))
		return "the key is revoked";
	if (!signer)
		return bit == SIGNERS_PLAN ? "the key may not sign plans" : "the key may not approve";
	if (any_time)
		return NULL;
	if (judging->now_us < signer->after_us)
		return "the key is not valid yet";
	if (judging->now_us >= signer->before_us)
		return "the key is not valid any more";
	if (bit == SIGNERS_APPROVE && !signer->hardware &&
	    (judging->trust->policy.require_sk || judging->trust->policy.require_uv))
		return "the policy wants approvals from keys in hardware";
	return NULL;
}

static void judge_plan_row(struct judging *judging, const struct row *row, struct trust_signature *signature,
                           struct vote *vote)
{
	const char *why = may_sign(judging, row, SIGNERS_PLAN, false);
	if (!digest_equal(&row->statement, &judging->result->plan))
		why = "it is over another plan";
	if (why) {
		ignore(signature, why);
		return;
	}
	vote->plan = true;
	signature->verdict = VERDICT_COUNTS;
}

static void judge_approval(struct judging *judging, const struct row *row, const struct approval *approval,
                           struct trust_signature *signature, struct vote *vote)
{
	int64_t grace_us = judging->trust->policy.resume_grace_ms * US_PER_MS;
	const char *why = may_sign(judging, row, SIGNERS_APPROVE, !approval->approve);
	if (!digest_equal(&approval->plan, &judging->result->plan))
		why = "it is about another plan";
	else if (!why && strcmp(approval->approver, vote->principal) != 0)
		why = "it names another approver than the key's owner";
	else if (!why && approval->approve && judging->now_us > approval->expires_us &&
	         judging->now_us - approval->expires_us >= grace_us)
		why = "it has expired";
	if (why) {
		ignore(signature, why);
		return;
	}
	vote->approves = approval->approve;
	vote->rejects = !approval->approve;
	vote->late = approval->approve && judging->now_us > approval->expires_us;
	signature->verdict = approval->approve ? VERDICT_COUNTS : VERDICT_REJECTS;
}

static void judge_approve_row(struct judging *judging, const struct row *row, struct trust_signature *signature,
                              struct vote *vote)
{
	struct err err = ERR_INIT;
	struct approval approval;
	if (approval_parse(row->body, row->body_len, &approval, &err)) {
		ignore(signature, err.message);
		return;
	}
	signature->signed_at_us = approval.signed_at_us;
	memcpy(signature->ticket, approval.ticket, sizeof(signature->ticket));
	memcpy(signature->comment, approval.comment, sizeof(signature->comment));
	judge_approval(judging, row, &approval, signature, vote);
}

static const struct {
	const char *name_space;
	void (*judge)(struct judging *judging, const struct row *row, struct trust_signature *signature,
	              struct vote *vote);
} namespaces[] = {
	{ NAMESPACE_PLAN, judge_plan_row },
	{ NAMESPACE_APPROVE, judge_approve_row },
};
#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

/* The next free place, named after the key; NULL when all are taken. */
static struct trust_signature *note(struct judging *judging, const char *name_space, const struct digest *key)
{
	struct trust_result *result = judging->result;
	if (result->signatures == TRUST_SIGNATURES_MAX) {
		result->ignored_rows++;
		return NULL;
	}
	struct trust_signature *signature = &result->signature[result->signatures++];
	snprintf(signature->name_space, sizeof(signature->name_space), "%s", name_space);
	sshkey_fingerprint(key, signature->fingerprint);
	return signature;
}

static int read_digest(struct db_query *query, int column, struct digest *out, struct err *err)
{
	const void *bytes;
	size_t len;
	if (db_get_blob(query, column, &bytes, &len, err))
		return -1;
	if (len != DIGEST_SIZE)
		return err_set(err, ERR_FORMAT, "a signature row has a key of %zu bytes", len);
	memcpy(out->bytes, bytes, DIGEST_SIZE);
	return 0;
}

static int examine_row(struct judging *judging, struct db_query *query, size_t which, struct err *err)
{
	struct row row;
	struct err inner = ERR_INIT;
	if (read_digest(query, 0, &row.statement, err) || read_digest(query, 1, &row.key, err))
		return -1;
	const struct signer *signer = find_key(judging->trust, &row.key);
	if (!signer)
		return 0;
	if (db_get_blob(query, 2, &row.body, &row.body_len, err) ||
	    db_get_blob(query, 3, &row.signature, &row.signature_len, err))
		return -1;
	struct trust_signature *signature = note(judging, namespaces[which].name_space, &row.key);
	if (!signature)
		return 0;
	struct vote *vote = &judging->vote[judging->result->signatures - 1];
	vote->principal = signer->principal;
	snprintf(signature->principal, sizeof(signature->principal), "%s", signer->principal);
	const char *why = genuine(&row, namespaces[which].name_space, &inner);
	if (why)
		ignore(signature, why);
	else
		namespaces[which].judge(judging, &row, signature, vote);
	return 0;
}

/* Rows whose key allowed_signers knows come first, so that junk cannot push them out. */
static int examine_known(struct judging *judging, struct db *db, size_t which, struct err *err)
{
	struct db_query *query = NULL;
	bool row = false;
	int result = -1;
	if (db_prepare(db, sql_select_signatures, &query, err))
		goto out;
	db_bind_text(query, 1, namespaces[which].name_space);
	do {
		if (db_step(query, &row, err) || (row && examine_row(judging, query, which, err)))
			goto out;
	} while (row);
	result = 0;
out:
	db_finish(query);
	return result;
}

static int note_unknown(struct judging *judging, struct db_query *query, struct err *err)
{
	struct digest key;
	const char *name_space;
	size_t len;
	bool ours = false;
	if (read_digest(query, 0, &key, err) || db_get_text(query, 1, &name_space, &len, err))
		return -1;
	for (size_t i = 0; i < NAMESPACES; i++)
		ours = ours || strcmp(namespaces[i].name_space, name_space) == 0;
	if (ours && find_key(judging->trust, &key))
		return 0;
	struct trust_signature *signature = note(judging, ours ? name_space : "other", &key);
	if (signature)
		ignore(signature, ours ? "the key is not in allowed_signers" : "signatures of this namespace mean nothing here");
	return 0;
}

static int examine_unknown(struct judging *judging, struct db *db, struct err *err)
{
	struct db_query *query = NULL;
	bool row = false;
	int result = -1;
	if (db_prepare(db, sql_select_signature_keys, &query, err))
		goto out;
	do {
		if (db_step(query, &row, err) || (row && note_unknown(judging, query, err)))
			goto out;
	} while (row);
	result = 0;
out:
	db_finish(query);
	return result;
}

static bool has_planned(const struct judging *judging, const char *principal)
{
	for (size_t i = 0; i < judging->result->signatures; i++)
		if (judging->vote[i].plan && strcmp(judging->vote[i].principal, principal) == 0)
			return true;
	return false;
}

static bool counted_before(const struct judging *judging, size_t end, bool vote_plan)
{
	for (size_t i = 0; i < end; i++) {
		const struct vote *vote = &judging->vote[i];
		if ((vote_plan ? vote->plan : vote->approves) &&
		    strcmp(vote->principal, judging->vote[end].principal) == 0)
			return true;
	}
	return false;
}

static const char *first_reason(const struct trust_result *result, const char *name_space)
{
	for (size_t i = 0; i < result->signatures; i++)
		if (result->signature[i].verdict == VERDICT_IGNORED && strcmp(result->signature[i].name_space, name_space) == 0)
			return result->signature[i].why;
	return NULL;
}

static int judge_planners(struct judging *judging, struct err *err)
{
	struct trust_result *result = judging->result;
	const struct policy *policy = &judging->trust->policy;
	int people = 0;
	for (size_t i = 0; i < result->signatures; i++) {
		if (!judging->vote[i].plan || counted_before(judging, i, true))
			continue;
		if (!people++)
			snprintf(result->planner, sizeof(result->planner), "%s", judging->vote[i].principal);
	}
	if (people >= policy->plan)
		return 0;
	const char *why = first_reason(result, NAMESPACE_PLAN);
	err_refuse(err, "signature", "the plan is signed by %d of %d people who may plan%s%s", people, policy->plan,
	           why ? "; ignored: " : "", why ? why : "");
	return err_hint(err, "pgdocket sign FILE --key KEY; pgdocket trust add DIR --role planner lets a key plan");
}

static int judge_target(struct judging *judging, struct err *err)
{
	const struct trust *trust = judging->trust;
	const struct plan_statement *statement = &judging->result->statement;
	char host[SSHSIG_FINGERPRINT_SIZE];
	if (strcmp(statement->label, trust->policy.label) != 0) {
		err_refuse(err, "label", "the plan is for \"%s\", this policy is for \"%s\"", statement->label,
		           trust->policy.label);
		return err_hint(err, "take the bundle to that environment, or plan for this one: label in pgdocket.conf");
	}
	if (strcmp(statement->apply_host, "any") == 0) {
		if (!trust->policy.require_apply_host)
			return 0;
		err_refuse(err, "apply-host", "the plan may be applied by any host, and the policy wants it to name one");
		return err_hint(err, "set apply_host in pgdocket.conf to the host's fingerprint, or require-apply-host: no");
	}
	if (!trust->host_key) {
		judging->result->apply_host_unchecked = true;
		return 0;
	}
	ssh_public_key_fingerprint(ssh_private_key_public(trust->host_key), host);
	if (strcmp(host, statement->apply_host) == 0)
		return 0;
	err_refuse(err, "apply-host", "the plan is for the host with key %s, this one has %s", statement->apply_host, host);
	return err_hint(err, "apply it on that host, or plan for this one: apply_host in pgdocket.conf");
}

/* Past a limit by less than resume-grace is noted; run refuses it unless the plan has begun (PROTOCOL.md). */
static int judge_limit(struct judging *judging, int64_t limit_us, const char *reason, const char *what,
                       struct err *err)
{
	char time[CLOCK_SECONDS_SIZE];
	if (judging->now_us <= limit_us)
		return 0;
	judging->result->expired = true;
	if (judging->now_us - limit_us < judging->trust->policy.resume_grace_ms * US_PER_MS)
		return 0;
	clock_seconds(limit_us, time);
	err_refuse(err, reason, "%s since %s", what, time);
	return err_hint(err, "make and sign a new plan");
}

static int judge_times(struct judging *judging, struct err *err)
{
	const struct plan_statement *statement = &judging->result->statement;
	char time[CLOCK_SECONDS_SIZE];
	int64_t oldest;
	if (trust_has(&judging->trust->revoked_plans, &judging->result->plan)) {
		err_refuse(err, "revoked", "the plan is in " TRUST_REVOKED_PLANS);
		return err_hint(err, "make a new plan; a revoked one is never applied");
	}
	if (judging->now_us < statement->not_before_us) {
		clock_seconds(statement->not_before_us, time);
		err_refuse(err, "not-yet", "the plan may not be applied before %s", time);
		return err_hint(err, "wait, or check this host's clock");
	}
	if (__builtin_add_overflow(statement->created_us, judging->trust->policy.max_plan_age_ms * US_PER_MS, &oldest))
		oldest = INT64_MAX;
	return judge_limit(judging, statement->expires_us, "expired", "the plan has expired", err) ||
	       judge_limit(judging, oldest, "age", "the plan is older than max-plan-age allows,", err) ? -1 : 0;
}

/* Approvals of people who may not approve this plan, because they planned it or run it, and second ones, count nothing. */
static void drop_indistinct(struct judging *judging)
{
	unsigned distinct = judging->trust->policy.distinct;
	bool not_planner = (distinct & POLICY_PLANNER) && (distinct & POLICY_APPROVER);
	bool not_operator = (distinct & POLICY_OPERATOR) && (distinct & POLICY_APPROVER) && judging->operator_name;
	for (size_t i = 0; i < judging->result->signatures; i++) {
		struct vote *vote = &judging->vote[i];
		const char *why = NULL;
		if (!vote->approves)
			continue;
		if (not_planner && has_planned(judging, vote->principal))
			why = "the approver planned this";
		else if (not_operator && strcmp(vote->principal, judging->operator_name) == 0)
			why = "the approver is who applies this";
		if (why) {
			ignore(&judging->result->signature[i], why);
			vote->approves = false;
		}
	}
}

/* How many people approve, among members (NULL: all). */
static int count_people(const struct judging *judging, const struct policy_group *group, bool late_too)
{
	const char *seen[TRUST_SIGNATURES_MAX];
	int people = 0;
	for (size_t i = 0; i < judging->result->signatures; i++) {
		const struct vote *vote = &judging->vote[i];
		bool counts = vote->approves && (late_too || !vote->late);
		bool member = !group;
		for (size_t j = 0; group && j < group->members; j++)
			member = member || (counts && strcmp(group->member[j], vote->principal) == 0);
		for (int j = 0; counts && j < people; j++)
			counts = strcmp(seen[j], vote->principal) != 0;
		if (counts && member)
			seen[people++] = vote->principal;
	}
	return people;
}

static const struct policy_group *missing_group(const struct judging *judging, bool late_too)
{
	const struct policy *policy = &judging->trust->policy;
	for (size_t i = 0; i < policy->groups; i++)
		if (count_people(judging, &policy->group[i], late_too) < policy->group[i].required)
			return &policy->group[i];
	return NULL;
}

static bool quorum(const struct judging *judging, bool late_too)
{
	return count_people(judging, NULL, late_too) >= judging->trust->policy.approve && !missing_group(judging, late_too);
}

/* Marks what did not count in the end: a person's second approval, and late ones that were not needed. */
static void settle_verdicts(struct judging *judging, bool late_too)
{
	for (size_t i = 0; i < judging->result->signatures; i++) {
		struct vote *vote = &judging->vote[i];
		struct trust_signature *signature = &judging->result->signature[i];
		if ((vote->plan || vote->approves) && counted_before(judging, i, vote->plan))
			ignore(signature, vote->plan ? "the planner has signed already" : "the approver has approved already");
		else if (vote->approves && vote->late && !late_too)
			ignore(signature, "it has expired");
		else if (vote->approves && vote->late)
			snprintf(signature->why, sizeof(signature->why), "expired, but within resume-grace");
	}
}

static int judge_rejections(struct judging *judging, struct err *err)
{
	const struct trust_result *result = judging->result;
	for (size_t i = 0; i < result->signatures; i++) {
		if (!judging->vote[i].rejects)
			continue;
		for (size_t j = 0; j < result->signatures; j++)
			if (judging->vote[j].approves && strcmp(judging->vote[j].principal, judging->vote[i].principal) == 0) {
				judging->vote[j].approves = false;
				ignore(&judging->result->signature[j], "the approver rejected the plan too");
			}
		if (!judging->trust->policy.reject_is_veto)
			continue;
		err_refuse(err, "rejected", "%s rejected the plan: %s", judging->vote[i].principal, result->signature[i].comment);
		return err_hint(err, "a rejection stands for ever; make a new plan");
	}
	return 0;
}

static int judge_operator(const struct judging *judging, struct err *err)
{
	const struct trust *trust = judging->trust;
	if (!(trust->policy.distinct & POLICY_OPERATOR))
		return 0;
	if (!judging->operator_name) {
		/* On a desk nobody applies anything; on a host it must be known who does. */
		if (!trust->host_key)
			return 0;
		err_refuse(err, "quorum", "the policy wants the operator to be someone else, and does not know who this is");
		return err_hint(err, "add \"operator: uid NUMBER PRINCIPAL\" to policy.conf");
	}
	if (!(trust->policy.distinct & POLICY_PLANNER) || !has_planned(judging, judging->operator_name))
		return 0;
	err_refuse(err, "quorum", "%s planned this and may not apply it too", judging->operator_name);
	return err_hint(err, "someone else must run it: distinct in policy.conf");
}

static int judge_quorum(struct judging *judging, struct err *err)
{
	struct trust_result *result = judging->result;
	const struct policy *policy = &judging->trust->policy;
	if (judge_rejections(judging, err) || judge_operator(judging, err))
		return -1;
	drop_indistinct(judging);
	bool strict = quorum(judging, false), lenient = strict || quorum(judging, true);
	bool late_too = lenient && !strict;
	const struct policy_group *group = missing_group(judging, late_too);
	result->approvals = count_people(judging, NULL, late_too);
	settle_verdicts(judging, late_too);
	if (late_too)
		result->expired = true;
	if (lenient)
		return 0;
	const char *why = first_reason(result, NAMESPACE_APPROVE);
	if (result->approvals < policy->approve)
		err_refuse(err, "quorum", "%d of %d approvals%s%s", result->approvals, policy->approve,
		           why ? "; ignored: " : "", why ? why : "");
	else
		err_refuse(err, "quorum", "%d of %d approvals from group %s", count_people(judging, group, false),
		           group ? group->required : 0, group ? group->name : "");
	return err_hint(err, "pgdocket approve FILE --key KEY --principal WHO; one person counts once");
}

static int load_plan(struct judging *judging, struct db *db, struct err *err)
{
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	bool found = false;
	int result = plan_statement_load(db, &bytes, &judging->result->statement, &judging->result->plan, &found, err);
	buf_release(&bytes);
	if (result) {
		if (!err->reason[0])
			snprintf(err->reason, sizeof(err->reason), "statement");
		return -1;
	}
	if (found)
		return 0;
	err_set(err, ERR_PLAN, "the bundle has no plan");
	return err_hint(err, "pgdocket plan FILE makes one");
}

int trust_judge(const struct trust *trust, struct db *bundle, int64_t now_us, const char *operator_name,
                struct trust_result *result, struct err *err)
{
	struct judging judging = { .trust = trust, .now_us = now_us, .operator_name = operator_name, .result = result };
	memset(result, 0, sizeof(*result));
	result->approvals_required = trust->policy.approve;
	if (load_plan(&judging, bundle, err))
		return -1;
	for (size_t i = 0; i < NAMESPACES; i++)
		if (examine_known(&judging, bundle, i, err))
			return -1;
	if (examine_unknown(&judging, bundle, err))
		return -1;
	return judge_planners(&judging, err) || judge_target(&judging, err) || judge_times(&judging, err) ||
	       judge_quorum(&judging, err) ? -1 : 0;
}
