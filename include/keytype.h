/*
 * The allow-list of key types, one row each: how its public key and its signature look on the wire,
 * and how it verifies. A type without a row is refused by its name (rsa, dss, certificates and
 * webauthn for ever; the rest of the allow-list of TRUST.md a.4 until it has one).
 */
#ifndef PGDOCKET_KEYTYPE_H
#define PGDOCKET_KEYTYPE_H

#include <stdbool.h>
#include "wire.h"

#define KEYTYPE_ED25519 "ssh-ed25519"

struct keytype {
	const char *name;
	bool hardware; /* the signature has a user-presence flag; what require-sk asks for */
	/* The public key behind its type string. NULL: valid; else what is wrong with it. */
	const char *(*key)(struct wire key);
	/* The signature behind its type string, over to_sign. NULL: it holds. */
	const char *(*verify)(struct wire key, struct wire signature, const void *to_sign,
			      size_t len);
};

/* NULL with ERR_FORMAT naming the type (escaped) and the types that are known. */
const struct keytype *keytype_find(struct wire_string name, struct err *err);
/* A key blob: its type and that its fields are valid. */
const struct keytype *keytype_of_blob(const void *blob, size_t len, struct err *err);

#endif
