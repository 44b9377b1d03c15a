/* A received file before SQLite sees it (TRUST.md b.1): checked in plain C and copied to a private
 * place. Private to bundles/. */
#ifndef PGDOCKET_QUARANTINE_H
#define PGDOCKET_QUARANTINE_H

#include "bundle.h"

struct quarantine {
	char *path;      /* as given; owned */
	char *directory; /* private, 0700; NULL once removed */
	char *copy;      /* absolute path of the copy inside it */
	struct bundle_origin origin;
};

/*
 * Check and copy. Nothing of path is opened again later.
 *
 * Errors: ERR_IO      cannot be opened, read or copied
 *         ERR_FORMAT  no regular file with one link, siblings that SQLite would act upon, or
 *                     another header than our files have
 *         ERR_VERSION written by a newer version
 *         ERR_LIMIT   larger than BUNDLE_MAX_BYTES
 */
int quarantine_take(const char *path, struct quarantine *out, struct err *err) MUST_CHECK;
/* Remove the copy and its directory; whoever has the copy open keeps it. */
void quarantine_remove(struct quarantine *quarantine);
/* Remove and free. Fine on a zeroed struct, and twice. */
void quarantine_release(struct quarantine *quarantine);
/* SHA-256 of what stands behind fd, from its current position; *size receives how much. */
int quarantine_digest(
	int fd, const char *path, struct digest *out, off_t *size, struct err *err) MUST_CHECK;

#endif
