/*
 * Rows of the bundle's table signature: a grow-only set keyed by (SHA-256 of the signed bytes,
 * SHA-256 of the key blob). What they are worth is trust.h's question.
 */
#ifndef PGDOCKET_SIGNATURE_H
#define PGDOCKET_SIGNATURE_H

#include <stdbool.h>
#include "db.h"
#include "sshsig.h"

struct signature {
	const char *name_space;
	const void *message; /* a statement's bytes */
	size_t message_len;
	const uint8_t *blob; /* decoded SSHSIG */
	size_t blob_len;
};
/*
 * Verify the signature over message in name_space and store it. *added false: it was there already,
 * nothing changes. key (may be NULL) receives who made it. ERR_REFUSED reason "signature" when it
 * does not fit.
 */
int signature_put(struct db *db, const struct signature *signature, struct ssh_public_key *key,
		  bool *added, struct err *err) MUST_CHECK;
/*
 * Whether a row for this message, namespace and key is there, and verifies; the blob is not looked
 * at.
 */
int signature_stands(struct db *db, const struct signature *signature,
		     const struct ssh_public_key *key, bool *stands, struct err *err) MUST_CHECK;

struct approval;
/*
 * A still standing vote of this key on this plan with this decision, whose own expiry is not before
 * expires_us. Rows that do not parse are passed over; nothing is verified, since the answer only
 * spares a useless row.
 */
int signature_find_approval(struct db *db, const struct approval *like,
			    const struct ssh_public_key *key, bool *stands,
			    struct err *err) MUST_CHECK;

#endif
