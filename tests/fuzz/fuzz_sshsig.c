/* Signatures: armor and blob. What is taken out of armor comes out of it again; nothing verifies that was not signed. */
#include "fuzz.h"
#include "plan_statement.h"
#include "sshsig.h"

static void check_blob(const uint8_t *blob, size_t len)
{
	static const char message[] = "a message that no seed signs\n";
	struct ssh_public_key key;
	struct err err = ERR_INIT;
	FUZZ_HOLDS(sshsig_verify(blob, len, NAMESPACE_PLAN, message, sizeof(message) - 1, &key, &err));
	FUZZ_HOLDS(err.code != ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct err err = ERR_INIT;
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES), armor = BUF_INIT(4 * SSHSIG_MAX_BYTES), again = BUF_INIT(SSHSIG_MAX_BYTES);
	check_blob(data, size);
	if (!sshsig_dearmor(text, size, &blob, &err)) {
		check_blob((const uint8_t *)blob.data, blob.len);
		FUZZ_HOLDS(!sshsig_armor((const uint8_t *)blob.data, blob.len, &armor, &err));
		FUZZ_HOLDS(!sshsig_dearmor(armor.data, armor.len, &again, &err));
		FUZZ_HOLDS(again.len == blob.len && memcmp(again.data, blob.data, blob.len) == 0);
	}
	buf_release(&blob);
	buf_release(&armor);
	buf_release(&again);
	free(text);
	return 0;
}
