/*
 * Writing what people sign: plan statement and approval statement. Nothing is handed out that the
 * reader (plan_statement.c) would refuse.
 */
#include "plan_statement.h"

#include "lines.h"

/*
 * What was written must be readable: a value out of range would make a statement that nobody can
 * use.
 */
static int write_checked(const struct lines_format *format, const void *values, void *scratch,
	struct buf *out, struct err *err)
{
	size_t before = out->len;
	if (lines_write(format, values, out, err))
		return -1;
	return lines_parse(format, out->data + before, out->len - before, scratch, err);
}

int plan_statement_write(const struct plan_statement *statement, struct buf *out, struct err *err)
{
	struct plan_statement again;
	return write_checked(&plan_statement_format, statement, &again, out, err);
}

int approval_write(const struct approval *approval, struct buf *out, struct err *err)
{
	struct approval again;
	return write_checked(&approval_format, approval, &again, out, err);
}
