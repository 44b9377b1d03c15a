/* Whole files, written so that a crash leaves the old one or the new one. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *path, const char *bytes, size_t len, struct err *err)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_IO, "cannot write %s", path);
		bytes += n;
		len -= (size_t)n;
	}
	if (fsync(fd) != 0)
		return err_set_errno(err, ERR_IO, "cannot write %s to disk", path);
	return 0;
}

int file_create(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "cannot create %s", path);
	int result = write_all(fd, path, bytes, len, err);
	if (close(fd) != 0 && !result)
		result = err_set_errno(err, ERR_IO, "cannot write %s", path);
	if (result)
		unlink(path);
	else
		result = file_sync_directory(path, err);
	return result;
}

int file_replace(const char *path, mode_t mode, const void *bytes, size_t len, struct err *err)
{
	int result = -1, fd = -1;
	size_t size = strlen(path) + sizeof(".XXXXXX");
	char *beside = malloc(size);
	if (!beside)
		return err_nomem(err);
	snprintf(beside, size, "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0) {
		err_set_errno(err, ERR_IO, "cannot create a file beside %s", path);
		goto out;
	}
	if (write_all(fd, beside, bytes, len, err) || fchmod(fd, mode) != 0 ||
		rename(beside, path) != 0) {
		err_set_errno(err, ERR_IO, "cannot replace %s", path);
		unlink(beside);
		goto out;
	}
	result = file_sync_directory(path, err);
out:
	if (fd >= 0)
		close(fd);
	free(beside);
	return result;
}
