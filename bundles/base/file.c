/* Whole files, read with a limit and written so that a crash leaves the old one or the new one. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char chunk[65536];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_IO, "cannot read %s", path);
		if (n == 0)
			break;
		buf_add(out, chunk, (size_t)n);
		if (buf_check(out, err))
			return err_context(err, "%s", path);
	}
	buf_add(out, "", 0);
	return buf_check(out, err);
}

int file_read(const char *path, int nofollow, struct buf *out, struct err *err)
{
	struct stat st;
	int result = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0));
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open %s", path);
	if (fstat(fd, &st) != 0)
		err_set_errno(err, ERR_IO, "cannot look at %s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(err, ERR_IO, "%s is not a regular file", path);
	else
		result = read_all(fd, path, out, err);
	close(fd);
	return result;
}

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

int file_sync_directory(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	if (!directory)
		return err_nomem(err);
	int result = 0;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		result = err_set_errno(err, ERR_IO, "cannot write directory %s to disk", directory);
	if (fd >= 0)
		close(fd);
	free(directory);
	return result;
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
	if (write_all(fd, beside, bytes, len, err) || fchmod(fd, mode) != 0 || rename(beside, path) != 0) {
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

int file_make_directories(const char *path, mode_t mode, struct err *err)
{
	char *copy = strdup(path);
	if (!copy)
		return err_nomem(err);
	int result = 0;
	for (char *at = copy + 1; !result; at++) {
		char c = *at;
		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(copy, mode) != 0 && errno != EEXIST)
			result = err_set_errno(err, ERR_IO, "cannot make directory %s", copy);
		*at = c;
		if (!c)
			break;
	}
	free(copy);
	return result;
}

char *file_absolute(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *directory = NULL, *real = NULL, *full = NULL;
	const char *name = slash ? slash + 1 : path;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		err_set(err, ERR_IO, "%s names a directory, not a file", path);
		return NULL;
	}
	directory = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	real = directory ? realpath(directory, NULL) : NULL;
	if (!real)
		err_set_errno(err, ERR_IO, "cannot find the directory of %s", path);
	else if (asprintf(&full, "%s%s%s", real, strcmp(real, "/") == 0 ? "" : "/", name) < 0) {
		full = NULL;
		err_nomem(err);
	}
	free(real);
	free(directory);
	return full;
}
