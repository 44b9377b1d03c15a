/*
 * A VFS of SQLite in front of the default one, which fails on demand (fault.h). In the crash modes
 * the process ends at the call, a write half done; with FAULT_POWER, of what was written and never
 * synced some writes are taken back first, as a power cut would do.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "fault.h"

struct undo { /* what stood where an unsynced write went; zeros behind the file's end */
	struct undo *next; /* the write before it */
	sqlite3_file *file;
	sqlite3_int64 offset;
	int len;
	char bytes[];
};

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs *below;
static struct undo *unsynced;
static uint32_t seed = 1;

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static void remember(sqlite3_file *real, sqlite3_int64 offset, int len)
{
	struct undo *undo = calloc(1, sizeof *undo + (size_t)len);
	if (!undo)
		abort();
	undo->file = real;
	undo->offset = offset;
	undo->len = len;
	real->pMethods->xRead(real, undo->bytes, len, offset);
	undo->next = unsynced;
	unsynced = undo;
}

static void forget(sqlite3_file *real)
{
	for (struct undo **at = &unsynced; *at;) {
		struct undo *undo = *at;
		if (undo->file != real) {
			at = &undo->next;
			continue;
		}
		*at = undo->next;
		free(undo);
	}
}

static void crash(void)
{
	for (struct undo *undo = unsynced; undo; undo = undo->next) {
		seed = seed * 1664525u + 1013904223u;
		if (seed >> 31)
			undo->file->pMethods->xWrite(undo->file, undo->bytes, undo->len, undo->offset);
	}
	_exit(FAULT_EXIT);
}

#define CRASHES (FAULT_CRASH | FAULT_POWER)

/* Crashes, or gives the result that the call must have; SQLITE_OK: it is to be made. */
static int fails(int rc)
{
	if (fault_armed() == FAULT_FULL && rc != SQLITE_IOERR_WRITE)
		return SQLITE_OK;
	if (!fault_due(FAULT_FILE | FAULT_FULL | CRASHES))
		return SQLITE_OK;
	if (fault_armed() & CRASHES)
		crash();
	return fault_armed() == FAULT_FULL ? SQLITE_FULL : rc;
}

/* --- files --- */

static int file_close(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);
	if (!real->pMethods)
		return SQLITE_OK;
	forget(real);
	return real->pMethods->xClose(real);
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
	int rc = fails(SQLITE_IOERR_READ);
	return rc ? rc : real_of(file)->pMethods->xRead(real_of(file), out, len, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(file);
	if (fault_armed() == FAULT_POWER)
		remember(real, offset, len);
	if (fault_armed() & CRASHES && fault_due(CRASHES)) {
		real->pMethods->xWrite(real, bytes, len / 2, offset);
		crash();
	}
	int rc = fault_armed() & CRASHES ? SQLITE_OK : fails(SQLITE_IOERR_WRITE);
	return rc ? rc : real->pMethods->xWrite(real, bytes, len, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = fails(SQLITE_IOERR_TRUNCATE);
	return rc ? rc : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int rc = fails(SQLITE_IOERR_FSYNC);
	if (rc)
		return rc;
	forget(real_of(file));
	return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
	int rc = fails(SQLITE_IOERR_FSTAT);
	return rc ? rc : real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int file_lock(sqlite3_file *file, int level)
{
	int rc = fails(SQLITE_IOERR_LOCK);
	return rc ? rc : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	int rc = fails(SQLITE_IOERR_CHECKRESERVEDLOCK);
	return rc ? rc : real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods methods = { .iVersion = 1, .xClose = file_close,
	.xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate, .xSync = file_sync,
	.xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock, .xFileControl = file_control,
	.xSectorSize = file_sector, .xDeviceCharacteristics = file_traits };

/* --- the VFS: what is not here is the lower one's --- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
	struct fault_file *out = (struct fault_file *)file;
	(void)vfs;
	out->base.pMethods = NULL;
	out->real = (sqlite3_file *)(out + 1);
	int rc = fails(SQLITE_CANTOPEN);
	if (!rc)
		rc = below->xOpen(below, name, out->real, flags, got);
	if (!rc)
		out->base.pMethods = &methods;
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	(void)vfs;
	int rc = fails(SQLITE_IOERR_DELETE);
	return rc ? rc : below->xDelete(below, name, sync_directory);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	int rc = fails(SQLITE_IOERR_ACCESS);
	return rc ? rc : below->xAccess(below, name, flags, out);
}

int fault_vfs_register(void)
{
	static sqlite3_vfs vfs;
	below = sqlite3_vfs_find(NULL);
	vfs = *below;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct fault_file) + below->szOsFile;
	vfs.pNext = NULL;
	vfs.xOpen = vfs_open;
	vfs.xDelete = vfs_delete;
	vfs.xAccess = vfs_access;
	return sqlite3_vfs_register(&vfs, 1);
}
