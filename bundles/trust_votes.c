/* Examines the signature rows of a bundle one by one: is the row what it says, is its key's owner
 * someone who may sign this now. Sees bytes that nobody vouches for: it verifies first, reads
 * second, and examines at most TRUST_SIGNATURES_MAX rows. */
#include "trust_inside.h"
#include <stdio.h>
#include <string.h>
#include "plan_statement.h"
#include "sql.h"
#include "sshkey.h"

struct row { /* borrowed from the query */
	struct digest statement, key;
	const void *body, *signature;
	size_t body_len, signature_len;
};

void trust_votes_ignore(struct trust_signature *signature, const char *why)
{
	signature->verdict = VERDICT_IGNORED;
	snprintf(signature->why, sizeof(signature->why), "%.*s", (int)sizeof(signature->why) - 1, why);
}

/* The line with this key and one of these namespaces; a key has one principal. */
static const struct signer *find_signer(
	const struct trust *trust, const struct digest *key, unsigned bits)
{
	for (size_t i = 0; i < trust->signers.count; i++)
		if (digest_equal(&trust->signers.item[i].key, key) &&
			trust->signers.item[i].namespaces & bits)
			return &trust->signers.item[i];
	return NULL;
}

/* The row is what it says it is: digests of body and key, and the signature holds. NULL: yes. */
static const char *genuine(const struct row *row, const char *name_space, struct err *err)
{
	struct digest digest;
	struct ssh_public_key key;
	if (row->body_len > STATEMENT_MAX_BYTES)
		return "it is over more bytes than a statement has";
	digest_of(row->body, row->body_len, &digest);
	if (!digest_equal(&digest, &row->statement))
		return "the row is damaged: its digest is not that of its bytes";
	if (sshsig_verify(
			row->signature, row->signature_len, name_space, row->body, row->body_len, &key, err))
		return err->message;
	ssh_public_key_digest(&key, &digest);
	if (!digest_equal(&digest, &row->key))
		return "the row is damaged: another key made its signature";
	return NULL;
}

/* Why the key's owner may not sign this now, or NULL. A rejection stands whatever the time. */
static const char *may_sign(
	const struct trust_judging *judging, const struct row *row, unsigned bit, bool any_time)
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

static void judge_plan_row(struct trust_judging *judging, const struct row *row,
	struct trust_signature *signature, struct trust_vote *vote)
{
	const char *why = may_sign(judging, row, SIGNERS_PLAN, false);
	if (!digest_equal(&row->statement, &judging->result->plan))
		why = TRUST_OTHER_PLAN;
	if (why) {
		trust_votes_ignore(signature, why);
		return;
	}
	vote->kind = VOTE_PLAN;
	signature->verdict = VERDICT_COUNTS;
}

static void judge_approval(struct trust_judging *judging, const struct row *row,
	const struct approval *approval, struct trust_signature *signature, struct trust_vote *vote)
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
		trust_votes_ignore(signature, why);
		return;
	}
	vote->kind = approval->approve ? VOTE_APPROVE : VOTE_REJECT;
	vote->late_us = approval->expires_us;
	vote->late = approval->approve && judging->now_us > approval->expires_us;
	signature->verdict = approval->approve ? VERDICT_COUNTS : VERDICT_REJECTS;
}

static void judge_approve_row(struct trust_judging *judging, const struct row *row,
	struct trust_signature *signature, struct trust_vote *vote)
{
	struct err err = ERR_INIT;
	struct approval approval;
	if (approval_parse(row->body, row->body_len, &approval, &err)) {
		trust_votes_ignore(signature, err.message);
		return;
	}
	signature->signed_at_us = approval.signed_at_us;
	memcpy(signature->ticket, approval.ticket, sizeof(signature->ticket));
	memcpy(signature->comment, approval.comment, sizeof(signature->comment));
	judge_approval(judging, row, &approval, signature, vote);
}

static const struct {
	const char *name_space;
	void (*judge)(struct trust_judging *judging, const struct row *row,
		struct trust_signature *signature, struct trust_vote *vote);
} namespaces[] = { { NAMESPACE_PLAN, judge_plan_row }, { NAMESPACE_APPROVE, judge_approve_row } };
#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

struct examining {
	struct trust_judging *judging;
	size_t which; /* of namespaces */
};

/* The next free place, named after the key; NULL when all are taken. */
static struct trust_signature *note(
	struct trust_judging *judging, const char *name_space, const struct digest *key)
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

static int examine_row(struct db_query *query, void *context, struct err *err)
{
	const struct examining *examining = context;
	struct trust_judging *judging = examining->judging;
	struct row row;
	struct err inner = ERR_INIT;
	if (db_get_digest(query, 0, &row.statement, err) || db_get_digest(query, 1, &row.key, err))
		return -1;
	const struct signer *signer = find_signer(judging->trust, &row.key, ~0u);
	if (!signer)
		return 0;
	if (db_get_blob(query, 2, &row.body, &row.body_len, err) ||
		db_get_blob(query, 3, &row.signature, &row.signature_len, err))
		return -1;
	struct trust_signature *signature = note(
		judging, namespaces[examining->which].name_space, &row.key);
	if (!signature)
		return 0;
	struct trust_vote *vote = &judging->vote[judging->result->signatures - 1];
	vote->principal = signer->principal;
	snprintf(signature->principal, sizeof(signature->principal), "%s", signer->principal);
	const char *why = genuine(&row, namespaces[examining->which].name_space, &inner);
	if (why)
		trust_votes_ignore(signature, why);
	else
		namespaces[examining->which].judge(judging, &row, signature, vote);
	return 0;
}

static int note_unknown(struct db_query *query, void *context, struct err *err)
{
	struct trust_judging *judging = context;
	struct digest key;
	const char *name_space;
	size_t len;
	bool ours = false;
	if (db_get_digest(query, 0, &key, err) || db_get_text(query, 1, &name_space, &len, err))
		return -1;
	for (size_t i = 0; i < NAMESPACES; i++)
		ours = ours || strcmp(namespaces[i].name_space, name_space) == 0;
	if (ours && find_signer(judging->trust, &key, ~0u))
		return 0;
	struct trust_signature *signature = note(judging, ours ? name_space : "other", &key);
	if (signature)
		trust_votes_ignore(signature,
			ours ? "the key is not in allowed_signers"
				 : "signatures of this namespace mean nothing here");
	return 0;
}

/* Rows whose key allowed_signers knows come first, so that junk cannot push them out. */
int trust_votes(struct trust_judging *judging, struct db *db, struct err *err)
{
	struct db_query *query = NULL;
	for (size_t i = 0; i < NAMESPACES; i++) {
		struct examining examining = { judging, i };
		if (db_prepare(db, sql_select_signatures, &query, err))
			return -1;
		db_bind_text(query, 1, namespaces[i].name_space);
		if (db_each(query, examine_row, &examining, err))
			return -1;
	}
	return db_each_of(db, sql_select_signature_keys, note_unknown, judging, err);
}
