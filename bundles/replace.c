/* Putting a finished new file in a bundle's place: checked as a reader would check it, synced,
 * renamed under a lock, and only over the very file that was read. It never opens a bundle for
 * writing; a crash leaves the old file and perhaps NAME.XXXXXX.new beside it, with its journal. */
#include "replace.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include "file.h"
#include "quarantine.h"

#define REPLACE_SUFFIX ".XXXXXX.new"
#define REPLACE_LOCK_TRIES \
	50 /* of 100 ms each: others hold the lock for one digest and one rename */

int replace_begin(const char *path, char **temporary, struct err *err)
{
	char *name = NULL;
	if (asprintf(&name, "%s" REPLACE_SUFFIX, path) < 0)
		return err_nomem(err);
	int fd = mkostemps(name, (int)strlen(".new"), O_CLOEXEC);
	if (fd < 0) {
		err_set_errno(err, ERR_IO, "no new file can be made beside %s", path);
		free(name);
		return err_hint(err,
			"A bundle is changed by writing a new file beside it; the directory must allow that.");
	}
	close(fd);
	*temporary = name;
	return 0;
}

static int replace_finish(const char *temporary, struct err *err)
{
	struct bundle *bundle = NULL;
	if (bundle_open(temporary, &bundle, err))
		return err_context(err, "the new file does not verify");
	bundle_close(bundle);
	int fd = open(temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? err_set_errno(err, ERR_IO, "%s cannot be synced", temporary) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int replace_lock(int fd, const char *path, struct err *err)
{
	for (int i = 0; i < REPLACE_LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set_errno(err, ERR_IO, "%s cannot be locked", path);
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	return err_set_hint(err, ERR_UNFIT, "Run the command again when that has ended.",
		"%s is locked by another program", path);
}

static int replace_compare(
	int fd, const char *path, const struct bundle_origin *was, bool *same, struct err *err)
{
	struct stat held, named;
	struct digest digest;
	off_t size = 0;
	*same = false;
	if (fstat(fd, &held))
		return err_set_errno(err, ERR_IO, "%s cannot be examined", path);
	if (lstat(path, &named) || named.st_dev != held.st_dev || named.st_ino != held.st_ino ||
		held.st_dev != was->stat.st_dev || held.st_ino != was->stat.st_ino ||
		held.st_size != was->stat.st_size || held.st_mtim.tv_sec != was->stat.st_mtim.tv_sec ||
		held.st_mtim.tv_nsec != was->stat.st_mtim.tv_nsec)
		return 0;
	if (quarantine_digest(fd, path, &digest, &size, err))
		return -1;
	*same = size == was->stat.st_size && digest_equal(&digest, &was->digest);
	return 0;
}

/* Where owner or group cannot be kept, the mode must not give others more than before. */
static void replace_keep_owner(const char *temporary, const struct stat *was)
{
	mode_t mode = was->st_mode & 0777;
	struct stat now;
	if (chown(temporary, was->st_uid, was->st_gid) && chown(temporary, (uid_t)-1, was->st_gid) &&
		lstat(temporary, &now) == 0 && now.st_gid != was->st_gid)
		mode &= (mode_t)~070;
	(void)chmod(temporary, mode);
}

static int replace_rename(const char *temporary, const char *path, struct err *err)
{
	if (rename(temporary, path))
		return err_set_errno(err, ERR_IO, "%s cannot be put in place", path);
	return file_sync_directory(path, err);
}

int replace_same(const char *temporary, const char *path, const struct bundle_origin *was,
	bool *same, struct err *err)
{
	int rc = -1, fd = -1;
	*same = false;
	if (replace_finish(temporary, err))
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0; /* gone, or another kind of file: not what was read */
	if (replace_lock(fd, path, err) || replace_compare(fd, path, was, same, err))
		goto out;
	if (*same) {
		replace_keep_owner(temporary, &was->stat);
		if (replace_rename(temporary, path, err))
			goto out;
	}
	rc = 0;
out:
	close(fd);
	return rc;
}

int replace_new(const char *temporary, const char *path, bool overwrite, struct err *err)
{
	if (replace_finish(temporary, err))
		return -1;
	if (overwrite)
		return replace_rename(temporary, path, err);
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return file_sync_directory(path, err);
	/* Not every file system knows the flag; a second name gives the same answer there. */
	if (errno == EINVAL && link(temporary, path) == 0) {
		unlink(temporary);
		return file_sync_directory(path, err);
	}
	if (errno != EEXIST)
		return err_set_errno(err, ERR_IO, "%s cannot be put in place", path);
	return err_set_hint(err, ERR_IO, "Give another name, or allow it to be replaced.",
		"%s exists already", path);
}
