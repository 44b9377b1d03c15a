/*
 * An allocator that fails on demand, for programs linked with FAULT_ALLOC_WRAP: our objects' calls
 * by --wrap, SQLite's by its own configuration. Memory comes from the real one in both cases, so
 * that AddressSanitizer still finds what leaks behind a failure.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include "fault.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **out, const char *format, va_list values);

static bool fails(void)
{
	if (!fault_due(FAULT_ALLOC))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **out, const char *format, va_list values)
{
	return fails() ? -1 : __real_vasprintf(out, format, values);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int len = __wrap_vasprintf(out, format, values);
	va_end(values);
	return len;
}

/* What a fortified build calls instead. */
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list values;
	(void)flag;
	va_start(values, format);
	int len = __wrap_vasprintf(out, format, values);
	va_end(values);
	return len;
}

/* --- SQLite's --- */

static sqlite3_mem_methods real;

static void *sqlite_malloc(int size)
{
	return fails() ? NULL : real.xMalloc(size);
}

static void *sqlite_realloc(void *old, int size)
{
	return fails() ? NULL : real.xRealloc(old, size);
}

int fault_alloc_sqlite(void)
{
	sqlite3_mem_methods methods;
	int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
	if (rc)
		return rc;
	methods = real;
	methods.xMalloc = sqlite_malloc;
	methods.xRealloc = sqlite_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
