/* Errors as values: formatted into fixed-size fields, so that running out of memory needs none.
 * Prints nothing; cli.c does. */
#include "error.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint8_t exit_status[] = { [ERR_NONE] = 0, [ERR_USAGE] = 2, [ERR_CONFIG] = 2,
	[ERR_IO] = 1, [ERR_NOMEM] = 1, [ERR_UNFIT] = 1, [ERR_PLAN] = 1, [ERR_SERVER] = 1,
	[ERR_LIMIT] = 3, [ERR_FORMAT] = 3, [ERR_VERSION] = 3, [ERR_REFUSED] = 3,
	[ERR_INCOMPLETE] = 4, [ERR_DIFFERENT] = 5, [ERR_INTERRUPTED] = 6, [ERR_BUG] = 70 };

/* False: an earlier error stands, and stays. */
PRINTF_LIKE(3, 0)
static bool set_message(struct err *err, enum err_code code, const char *format, va_list args)
{
	if (err->code != ERR_NONE)
		return false;
	err_clear(err);
	err->code = code;
	vsnprintf(err->message, sizeof(err->message), format, args);
	return true;
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_message(err, code, format, args);
	va_end(args);
	return -1;
}

int err_set_hint(
	struct err *err, enum err_code code, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (set_message(err, code, format, args))
		snprintf(err->hint, sizeof(err->hint), "%s", hint);
	va_end(args);
	return -1;
}

int err_set_errno(struct err *err, enum err_code code, const char *format, ...)
{
	int number = errno;
	va_list args;
	va_start(args, format);
	if (set_message(err, code, format, args)) {
		size_t used = strlen(err->message);
		snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(number));
		err->sys_errno = number;
	}
	va_end(args);
	return -1;
}

int err_refuse(struct err *err, const char *reason, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (set_message(err, ERR_REFUSED, format, args))
		snprintf(err->reason, sizeof(err->reason), "%s", reason);
	va_end(args);
	return -1;
}

int err_refuse_hint(
	struct err *err, const char *reason, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (set_message(err, ERR_REFUSED, format, args)) {
		snprintf(err->reason, sizeof(err->reason), "%s", reason);
		snprintf(err->hint, sizeof(err->hint), "%s", hint);
	}
	va_end(args);
	return -1;
}

int err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}

int err_hint(struct err *err, const char *format, ...)
{
	if (err->code != ERR_NONE && err->hint[0] == '\0') {
		va_list args;
		va_start(args, format);
		vsnprintf(err->hint, sizeof(err->hint), format, args);
		va_end(args);
	}
	return -1;
}

int err_context(struct err *err, const char *format, ...)
{
	if (err->code == ERR_NONE)
		return -1;
	char old[sizeof(err->message)];
	memcpy(old, err->message, sizeof(old));
	va_list args;
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	size_t used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
	return -1;
}

void err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->sys_errno = 0;
	err->sqlstate[0] = err->reason[0] = err->message[0] = err->hint[0] = '\0';
}

int err_exit_status(const struct err *err)
{
	return exit_status[err->code];
}
