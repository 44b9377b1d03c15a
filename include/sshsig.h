/*
 * SSHSIG signatures (OpenSSH PROTOCOL.sshsig) and the keys that make them: verified and made
 * natively with libcrypto, stricter than ssh-keygen (TRUST.md a.4: all we accept, ssh-keygen
 * accepts). This version: ssh-ed25519; other types of the allow-list get a row in sshsig.c's table
 * of key types.
 */
#ifndef PGDOCKET_SSHSIG_H
#define PGDOCKET_SSHSIG_H

#include <stdint.h>
#include "buf.h"
#include "digest.h"

#define SSHSIG_MAX_BYTES 16384
#define SSHSIG_FINGERPRINT_SIZE 52 /* "SHA256:" and 43 base64 digits and NUL */

/* A public key as its SSH wire blob ("string type, string pk ..."). */
struct ssh_public_key {
	uint8_t blob[1024];
	size_t blob_len;
};
struct ssh_private_key; /* wiped when freed */

/* One line "type base64 [comment]". ERR_FORMAT; unsupported types are named. */
int ssh_public_key_parse(const char *line, size_t len, struct ssh_public_key *out,
			 struct err *err) MUST_CHECK;
int ssh_public_key_write(const struct ssh_public_key *key, const char *comment, struct buf *out,
			 struct err *err) MUST_CHECK;
void ssh_public_key_digest(const struct ssh_public_key *key, struct digest *out);
/* As ssh-keygen -l writes it: SHA256:<43 base64 digits>. */
void ssh_public_key_fingerprint(const struct ssh_public_key *key,
				char out[SSHSIG_FINGERPRINT_SIZE]);

#define SSH_KEY_SEED_SIZE 32
#define SSH_KEY_WAY_OUT /* for keys that are not ours to read */ \
	"use --export FILE, sign FILE with ssh-keygen -Y sign (agent, passphrase, FIDO), then " \
	"--import FILE.sig"
/* The Ed25519 key that grows from this seed. ERR_FORMAT, ERR_NOMEM. */
int ssh_private_key_from_seed(const uint8_t seed[SSH_KEY_SEED_SIZE], struct ssh_private_key **out,
			      struct err *err) MUST_CHECK;
/*
 * An OpenSSH private key file without passphrase (openssh-key-v1). Encrypted: ERR_CONFIG with the
 * --export/--import way out.
 */
int ssh_private_key_parse(const char *text, size_t len, struct ssh_private_key **out,
			  struct err *err) MUST_CHECK;
/* An Ed25519 PKCS#8 PEM file: the host key. */
int ssh_private_key_parse_pem(const char *text, size_t len, struct ssh_private_key **out,
			      struct err *err) MUST_CHECK;
/* A new Ed25519 key as PKCS#8 PEM. */
int ssh_private_key_generate_pem(struct buf *pem, struct err *err) MUST_CHECK;
/* Either of the two, from a file that nobody else may read; ERR_CONFIG names the way out. */
int ssh_private_key_read(const char *path, struct ssh_private_key **out,
			 struct err *err) MUST_CHECK;
const struct ssh_public_key *ssh_private_key_public(const struct ssh_private_key *key);
void ssh_private_key_free(struct ssh_private_key *key);

/* Append the signature's decoded blob to out. */
int sshsig_sign(const struct ssh_private_key *key, const char *name_space, const void *message,
		size_t len, struct buf *out, struct err *err) MUST_CHECK;
/*
 * Check framing, namespace and signature; *key receives the key that made it (whether it is trusted
 * is the policy's question).
 * ERR_REFUSED reason "signature". Every item of TRUST.md a.4's strictness list is a case of its own
 * in the tests.
 */
int sshsig_verify(const uint8_t *blob, size_t blob_len, const char *name_space, const void *message,
		  size_t len, struct ssh_public_key *key, struct err *err) MUST_CHECK;
/* 70 columns, as ssh-keygen writes it. */
int sshsig_armor(const uint8_t *blob, size_t len, struct buf *out, struct err *err) MUST_CHECK;
/* CR is stripped, blank lines around; else exact (TRUST.md a.4). */
int sshsig_dearmor(const char *text, size_t len, struct buf *blob, struct err *err) MUST_CHECK;

#endif
