/* Inside of struct trust, and the votes that a bundle's signature rows are worth: trust.c opens the
 * one, trust_votes.c finds out the other, trust_judge.c counts. */
#ifndef PGDOCKET_TRUST_INSIDE_H
#define PGDOCKET_TRUST_INSIDE_H

#include "policy.h"
#include "signers.h"
#include "trust.h"

struct trust_digests {
	size_t count;
	struct digest *item; /* the arena's */
};

struct trust {
	struct arena *arena;
	const char *directory; /* as given */
	struct policy policy;
	struct digest policy_digest;
	struct signers signers;
	struct trust_digests revoked_keys, revoked_plans; /* of key blobs; of plan statements */
	struct ssh_private_key *host_key;                 /* NULL: none */
};

bool trust_has(const struct trust_digests *digests, const struct digest *digest);

#define US_PER_MS INT64_C(1000)
#define TRUST_OTHER_PLAN "it is over another plan"

/* What stands beside a trust_signature while it is judged. */
struct trust_vote {
	/* a verified signature of someone who may; VOTE_NONE: counts nothing */
	enum { VOTE_NONE, VOTE_PLAN, VOTE_APPROVE, VOTE_REJECT } kind;
	bool late;             /* an approval that expired, by less than resume-grace */
	int64_t late_us;       /* late: since when */
	const char *principal; /* borrowed from trust */
};

struct trust_judging {
	const struct trust *trust;
	int64_t now_us;
	const char *operator_name;
	struct trust_result *result;
	struct trust_vote vote[TRUST_SIGNATURES_MAX]; /* of result->signature */
};

/* Examine every row of table signature against the statement in judging->result: fills
 * result->signature and vote. Nobody is counted twice or left out for other people's sake yet.
 * ERR_FORMAT: a row that is none. */
int trust_votes(struct trust_judging *judging, struct db *db, struct err *err) MUST_CHECK;
void trust_votes_ignore(struct trust_signature *signature, const char *why);

#endif
