/*
 * Failures on demand, for tests only: the n-th call of a kind fails, once or from then on. One
 * counter for all kinds, so that a sweep is one loop: arm at 0 to count, then at 1, 2 ... until
 * fault_disarm says that the run came to its end before its turn.
 */
#ifndef PGDOCKET_FAULT_H
#define PGDOCKET_FAULT_H

#include <stdbool.h>

enum fault_kind {
	FAULT_ALLOC = 1,     /* NULL */
	FAULT_FILE = 2,      /* SQLITE_IOERR_xxx, SQLITE_CANTOPEN */
	FAULT_FULL = 4,      /* SQLITE_FULL, of what takes room; the rest succeeds */
	FAULT_CRASH = 8,     /* the process ends before the call; a write may be half done */
	FAULT_POWER = 16     /* the same, and of what was not synced some pages are as before */
};
#define FAULT_EXIT 77    /* how a crash ends */

/* at: from 1; 0 counts only. */
void fault_arm(enum fault_kind kind, long at, bool forever);
/* Points passed since fault_arm. Nothing fails from here on. */
long fault_disarm(void);

/* For the makers of failures: is it this call's turn? */
bool fault_due(enum fault_kind kinds);
enum fault_kind fault_armed(void);

/* Makes the failing VFS SQLite's default. 0, or SQLite's result. */
int fault_vfs_register(void);
/* SQLite's own allocations fail too; before SQLite is used. 0, or SQLite's result. */
int fault_alloc_sqlite(void);

#endif
