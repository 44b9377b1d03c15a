/* The policy directory's files: policy.conf and allowed_signers. */
#include "arena.h"
#include "fuzz.h"
#include "policy.h"
#include "signers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct arena *arena = arena_new(64u << 20);
	struct err err = ERR_INIT;
	struct policy policy;
	struct signers signers;
	FUZZ_HOLDS(arena);
	if (!policy_parse(arena, "policy.conf", text, size, &policy, &err))
		FUZZ_HOLDS(policy.label && policy.approve >= 0);
	else
		FUZZ_HOLDS(err.code == ERR_REFUSED);
	err_clear(&err);
	if (!signers_parse(arena, "allowed_signers", text, size, &signers, &err))
		for (size_t i = 0; i < signers.count; i++)
			FUZZ_HOLDS(signers.item[i].namespaces && signers_principal_valid(signers.item[i].principal, strlen(signers.item[i].principal)));
	else
		FUZZ_HOLDS(err.code == ERR_REFUSED || err.code == ERR_LIMIT);
	arena_free(arena);
	free(text);
	return 0;
}
