/* Inside of struct trust, shared by the modules that open, judge and write a policy directory. */
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

#endif
