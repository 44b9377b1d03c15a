/* Plan statements and approvals: what parses is written back as the very same bytes. */
#include "fuzz.h"
#include "plan_statement.h"

static void check_statement(const char *bytes, size_t len)
{
	struct err err = ERR_INIT;
	struct plan_statement statement;
	struct buf out = BUF_INIT(STATEMENT_MAX_BYTES);
	if (!plan_statement_parse(bytes, len, &statement, &err)) {
		FUZZ_HOLDS(!plan_statement_write(&statement, &out, &err));
		FUZZ_HOLDS(out.len == len && memcmp(out.data, bytes, len) == 0);
	}
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct err err = ERR_INIT;
	struct approval approval;
	struct buf out = BUF_INIT(STATEMENT_MAX_BYTES);
	check_statement(text, size);
	if (!approval_parse(text, size, &approval, &err)) {
		FUZZ_HOLDS(!approval_write(&approval, &out, &err));
		FUZZ_HOLDS(out.len == size && memcmp(out.data, text, size) == 0);
	}
	buf_release(&out);
	free(text);
	return 0;
}
