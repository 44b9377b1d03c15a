/* Key files: OpenSSH public and private ones and PKCS#8 PEM. A key that parses has a fingerprint and can sign. */
#include "fuzz.h"
#include "plan_statement.h"
#include "sshsig.h"

static void check_private(struct ssh_private_key *key)
{
	struct err err = ERR_INIT;
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	struct ssh_public_key signer;
	if (!sshsig_sign(key, NAMESPACE_PLAN, "text", 4, &blob, &err))
		FUZZ_HOLDS(!sshsig_verify((const uint8_t *)blob.data, blob.len, NAMESPACE_PLAN, "text", 4, &signer, &err));
	buf_release(&blob);
	ssh_private_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), fingerprint[SSHSIG_FINGERPRINT_SIZE];
	struct err err = ERR_INIT;
	struct ssh_public_key public_key;
	struct ssh_private_key *key = NULL;
	if (!ssh_public_key_parse(text, size, &public_key, &err))
		ssh_public_key_fingerprint(&public_key, fingerprint);
	err_clear(&err);
	if (!ssh_private_key_parse(text, size, &key, &err))
		check_private(key);
	err_clear(&err);
	if (!ssh_private_key_parse_pem(text, size, &key, &err))
		check_private(key);
	free(text);
	return 0;
}
