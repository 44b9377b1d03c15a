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

int file_read_open(int fd, const char *path, struct buf *out, struct err *err)
{
	char chunk[65536];
	for (;;) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, chunk, sizeof(chunk)));
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
		result = file_read_open(fd, path, out, err);
	close(fd);
	return result;
}

int file_sync_directory(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
	char *directory = slash ? strndup(path, len) : strdup(".");
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
