/*
 * Putting a finished new file in a bundle's place, without ever changing what is there
 * (PROTOCOL.md, last section).
 */
#ifndef PGDOCKET_REPLACE_H
#define PGDOCKET_REPLACE_H

#include <stdbool.h>
#include "bundle.h"

/* Make an empty file beside path (0600). *temporary: its path, malloc'ed. ERR_IO. */
int replace_begin(const char *path, char **temporary, struct err *err) MUST_CHECK;
/*
 * Check the finished file as any bundle is checked, fsync it, and rename it over path if that is
 * still the file that was read (device, inode, size, mtime, SHA-256; under flock), keeping owner
 * and mode where permitted. *same false: it is not, nothing happened.
 */
int replace_same(const char *temporary, const char *path, const struct bundle_origin *was,
	bool *same, struct err *err) MUST_CHECK;
/* The same for a path that no bundle was read from. An existing file is ERR_IO unless overwrite. */
int replace_new(const char *temporary, const char *path, bool overwrite,
		struct err *err) MUST_CHECK;

#endif
