/* Inside of the keys of sshsig.h, for the modules that sign and that read lists of keys. */
#ifndef PGDOCKET_SSHKEY_H
#define PGDOCKET_SSHKEY_H

#include <openssl/evp.h>
#include "sshsig.h"

struct ssh_private_key {
	struct ssh_public_key public;
	EVP_PKEY *pkey; /* libcrypto wipes it */
};

/* "type base64" at the start of line: the decoded blob, whatever its type; ERR_FORMAT when the type
 * is not the blob's. */
int sshkey_decode(const char *line, size_t len, struct buf *blob, struct err *err) MUST_CHECK;
/* SHA256:<base64 without padding>, from the SHA-256 of a key blob. */
void sshkey_fingerprint(const struct digest *digest, char out[SSHSIG_FINGERPRINT_SIZE]);

#endif
