/* Applies a policy to a bundle's plan statement and votes (TRUST.md a.7, steps 4 to 7): who
 * planned, for which environment, when, and who approved. Counts people, never keys or
 * signatures. */
#include "trust.h"
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "plan_statement.h"
#include "trust_inside.h"

/* Somebody has such a vote among the first `end`; late ones count when late_too. */
static bool has_voted(const struct trust_judging *judging, size_t end, int kind,
	const char *principal, bool late_too)
{
	for (size_t i = 0; i < end; i++) {
		const struct trust_vote *vote = &judging->vote[i];
		if ((int)vote->kind == kind && (late_too || !vote->late) &&
			strcmp(vote->principal, principal) == 0)
			return true;
	}
	return false;
}

static bool has_planned(const struct trust_judging *judging, const char *principal)
{
	return has_voted(judging, judging->result->signatures, VOTE_PLAN, principal, true);
}

static const char *first_reason(const struct trust_result *result, const char *name_space)
{
	for (size_t i = 0; i < result->signatures; i++)
		if (result->signature[i].verdict == VERDICT_IGNORED &&
			strcmp(result->signature[i].name_space, name_space) == 0)
			return result->signature[i].why;
	return NULL;
}

static int judge_planners(struct trust_judging *judging, struct err *err)
{
	struct trust_result *result = judging->result;
	const struct policy *policy = &judging->trust->policy;
	int people = 0;
	for (size_t i = 0; i < result->signatures; i++) {
		const struct trust_vote *vote = &judging->vote[i];
		if (vote->kind != VOTE_PLAN || has_voted(judging, i, VOTE_PLAN, vote->principal, true))
			continue;
		if (!people++)
			snprintf(result->planner, sizeof(result->planner), "%s", vote->principal);
	}
	if (people >= policy->plan)
		return 0;
	const char *why = first_reason(result, NAMESPACE_PLAN);
	err_refuse(err, "signature", "the plan is signed by %d of %d people who may plan%s%s", people,
		policy->plan, why ? "; ignored: " : "", why ? why : "");
	return err_hint(err, "%s", !people && why && strcmp(why, TRUST_OTHER_PLAN) == 0
		? "the plan was altered after it was signed: get the bundle again from the planner"
		: "pgdocket sign FILE --key KEY; pgdocket trust add DIR --role planner lets a key plan");
}

static int judge_target(struct trust_judging *judging, struct err *err)
{
	const struct trust *trust = judging->trust;
	const struct plan_statement *statement = &judging->result->statement;
	char host[SSHSIG_FINGERPRINT_SIZE];
	if (strcmp(statement->label, trust->policy.label) != 0)
		return err_refuse_hint(err, "label",
			"take the bundle to that environment, or plan for this one: label in pgdocket.conf",
			"the plan is for \"%s\", this policy is for \"%s\"", statement->label,
			trust->policy.label);
	if (strcmp(statement->apply_host, "any") == 0) {
		if (!trust->policy.require_apply_host)
			return 0;
		return err_refuse_hint(err, "apply-host",
			"set apply_host in pgdocket.conf to the host's fingerprint, or require-apply-host: no",
			"the plan may be applied by any host, and the policy wants it to name one");
	}
	if (!trust->host_key) {
		judging->result->apply_host_unchecked = true;
		return 0;
	}
	ssh_public_key_fingerprint(ssh_private_key_public(trust->host_key), host);
	if (strcmp(host, statement->apply_host) == 0)
		return 0;
	return err_refuse_hint(err, "apply-host",
		"apply it on that host, or plan for this one: apply_host in pgdocket.conf",
		"the plan is for the host with key %s, this one has %s", statement->apply_host, host);
}

/* The first thing said stands. */
static void note_expired(
	struct trust_result *result, const char *what, const char *who, int64_t since_us)
{
	if (!result->expired)
		snprintf(result->expired_why, sizeof(result->expired_why), "%s%.100s has expired since %s",
			what, who, clock_text(since_us).text);
	result->expired = true;
}

/* Past a limit by less than resume-grace is noted; run refuses it unless the plan has begun. */
static int judge_limit(struct trust_judging *judging, int64_t limit_us, const char *reason,
	const char *what, struct err *err)
{
	if (judging->now_us <= limit_us)
		return 0;
	note_expired(judging->result, "the plan",
		strcmp(reason, "age") == 0 ? ", by max-plan-age," : "", limit_us);
	if (judging->now_us - limit_us < judging->trust->policy.resume_grace_ms * US_PER_MS)
		return 0;
	return err_refuse_hint(err, reason, "make and sign a new plan", "%s since %s", what,
		clock_text(limit_us).text);
}

static int judge_times(struct trust_judging *judging, struct err *err)
{
	const struct plan_statement *statement = &judging->result->statement;
	int64_t oldest;
	if (trust_has(&judging->trust->revoked_plans, &judging->result->plan))
		return err_refuse_hint(err, "revoked", "make a new plan; a revoked one is never applied",
			"the plan is in " TRUST_REVOKED_PLANS);
	if (judging->now_us < statement->not_before_us) {
		return err_refuse_hint(err, "not-yet", "wait, or check this host's clock",
			"the plan may not be applied before %s", clock_text(statement->not_before_us).text);
	}
	if (__builtin_add_overflow(
			statement->created_us, judging->trust->policy.max_plan_age_ms * US_PER_MS, &oldest))
		oldest = INT64_MAX;
	return judge_limit(judging, statement->expires_us, "expired", "the plan has expired", err) ||
			judge_limit(judging, oldest, "age", "the plan is older than max-plan-age allows,", err)
		? -1
		: 0;
}

/* Approvals of people who may not approve this plan, because they planned or run it, count
 * nothing. */
static void drop_indistinct(struct trust_judging *judging)
{
	unsigned distinct = judging->trust->policy.distinct;
	bool not_planner = (distinct & POLICY_PLANNER) && (distinct & POLICY_APPROVER);
	bool not_operator = (distinct & POLICY_OPERATOR) && (distinct & POLICY_APPROVER) &&
		judging->operator_name;
	for (size_t i = 0; i < judging->result->signatures; i++) {
		struct trust_vote *vote = &judging->vote[i];
		const char *why = NULL;
		if (vote->kind != VOTE_APPROVE)
			continue;
		if (not_planner && has_planned(judging, vote->principal))
			why = "the approver planned this";
		else if (not_operator && strcmp(vote->principal, judging->operator_name) == 0)
			why = "the approver is who applies this";
		if (why) {
			trust_votes_ignore(&judging->result->signature[i], why);
			vote->kind = VOTE_NONE;
		}
	}
}

/* How many people approve, among members (NULL: all). */
static int count_people(
	const struct trust_judging *judging, const struct policy_group *group, bool late_too)
{
	int people = 0;
	for (size_t i = 0; i < judging->result->signatures; i++) {
		const struct trust_vote *vote = &judging->vote[i];
		bool member = !group;
		if (vote->kind != VOTE_APPROVE || (vote->late && !late_too) ||
			has_voted(judging, i, VOTE_APPROVE, vote->principal, late_too))
			continue;
		for (size_t j = 0; group && j < group->members; j++)
			member = member || strcmp(group->member[j], vote->principal) == 0;
		people += member;
	}
	return people;
}

static const struct policy_group *missing_group(const struct trust_judging *judging, bool late_too)
{
	const struct policy *policy = &judging->trust->policy;
	for (size_t i = 0; i < policy->groups; i++)
		if (count_people(judging, &policy->group[i], late_too) < policy->group[i].required)
			return &policy->group[i];
	return NULL;
}

static bool quorum(const struct trust_judging *judging, bool late_too)
{
	return count_people(judging, NULL, late_too) >= judging->trust->policy.approve &&
		!missing_group(judging, late_too);
}

/* Late approvals that are not needed count nothing; needed ones say that they are late. */
static void settle_late(struct trust_judging *judging, bool late_too)
{
	size_t count = judging->result->signatures;
	for (size_t i = 0; i < count; i++) {
		struct trust_vote *vote = &judging->vote[i];
		struct trust_signature *signature = &judging->result->signature[i];
			if (vote->kind != VOTE_APPROVE || !vote->late)
			continue;
		if (late_too && !has_voted(judging, count, VOTE_APPROVE, vote->principal, false)) {
			snprintf(signature->why, sizeof(signature->why), "expired %s",
				clock_text(vote->late_us).text);
			note_expired(judging->result, "the approval by ", vote->principal, vote->late_us);
			continue;
		}
		trust_votes_ignore(signature, "it has expired");
		vote->kind = VOTE_NONE;
	}
}

/* One person's second signature counts nothing. */
static void settle_repeated(struct trust_judging *judging)
{
	for (size_t i = 0; i < judging->result->signatures; i++) {
		const struct trust_vote *vote = &judging->vote[i];
		bool plan = vote->kind == VOTE_PLAN;
		if ((plan || vote->kind == VOTE_APPROVE) &&
			has_voted(judging, i, (int)vote->kind, vote->principal, true))
			trust_votes_ignore(&judging->result->signature[i],
				plan ? "the planner has signed already" : "the approver has approved already");
	}
}

static int judge_rejections(struct trust_judging *judging, struct err *err)
{
	struct trust_result *result = judging->result;
	for (size_t i = 0; i < result->signatures; i++) {
		const char *who = judging->vote[i].principal;
		if (judging->vote[i].kind != VOTE_REJECT)
			continue;
		for (size_t j = 0; j < result->signatures; j++)
			if (judging->vote[j].kind == VOTE_APPROVE &&
				strcmp(judging->vote[j].principal, who) == 0) {
				judging->vote[j].kind = VOTE_NONE;
				trust_votes_ignore(&result->signature[j], "the approver rejected the plan too");
			}
		if (judging->trust->policy.reject_is_veto)
			return err_refuse_hint(err, "rejected", "a rejection stands for ever; make a new plan",
				"%s rejected the plan: %s", who, result->signature[i].comment);
	}
	return 0;
}

static int judge_operator(const struct trust_judging *judging, struct err *err)
{
	const struct trust *trust = judging->trust;
	if (!(trust->policy.distinct & POLICY_OPERATOR))
		return 0;
	if (!judging->operator_name) {
		/* On a desk nobody applies anything; on a host it must be known who does. */
		if (!trust->host_key)
			return 0;
		return err_refuse_hint(err, "quorum",
			"add \"operator: uid NUMBER PRINCIPAL\" to policy.conf",
			"the policy wants the operator to be someone else, and does not know who this is");
	}
	if (!(trust->policy.distinct & POLICY_PLANNER) || !has_planned(judging, judging->operator_name))
		return 0;
	return err_refuse_hint(err, "quorum", "someone else must run it: distinct in policy.conf",
		"%s planned this and may not apply it too", judging->operator_name);
}

static int judge_quorum(struct trust_judging *judging, struct err *err)
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
	int from_group = group ? count_people(judging, group, false) : 0;
	settle_late(judging, late_too);
	settle_repeated(judging);
	if (lenient)
		return 0;
	const char *why = first_reason(result, NAMESPACE_APPROVE);
	if (result->approvals < policy->approve)
		err_refuse(err, "quorum", "%d of %d approvals%s%s", result->approvals, policy->approve,
			why ? "; ignored: " : "", why ? why : "");
	else
		err_refuse(err, "quorum", "%d of %d approvals from group %s", from_group,
			group ? group->required : 0, group ? group->name : "");
	return err_hint(err, "pgdocket approve FILE --key KEY --principal WHO; one person counts once");
}

static int load_plan(struct trust_judging *judging, struct db *db, struct err *err)
{
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	bool found = false;
	int result = plan_statement_load(
		db, &bytes, &judging->result->statement, &judging->result->plan, &found, err);
	buf_release(&bytes);
	if (result) {
		if (!err->reason[0])
			snprintf(err->reason, sizeof(err->reason), "statement");
		return -1;
	}
	if (found)
		return 0;
	return err_set_hint(err, ERR_PLAN, "pgdocket plan FILE makes one", "the bundle has no plan");
}

int trust_judge(const struct trust *trust, struct db *bundle, int64_t now_us,
	const char *operator_name, struct trust_result *result, struct err *err)
{
	struct trust_judging judging = {
		.trust = trust, .now_us = now_us, .operator_name = operator_name, .result = result
	};
	memset(result, 0, sizeof(*result));
	result->approvals_required = trust->policy.approve;
	if (load_plan(&judging, bundle, err) || trust_votes(&judging, bundle, err))
		return -1;
	return judge_planners(&judging, err) || judge_target(&judging, err) ||
			judge_times(&judging, err) || judge_quorum(&judging, err)
		? -1
		: 0;
}
