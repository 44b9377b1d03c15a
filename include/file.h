/* Whole files: read with a limit, written so that a reader sees the old one or the new one. */
#ifndef PGDOCKET_FILE_H
#define PGDOCKET_FILE_H

#include <sys/types.h>
#include "buf.h"

/*
 * Read a regular file (no symbolic link is followed at the last step when nofollow). ERR_IO,
 * ERR_LIMIT over buf->max.
 */
int file_read(const char *path, int nofollow, struct buf *out, struct err *err) MUST_CHECK;
/* The rest of an open file; path for messages. */
int file_read_open(int fd, const char *path, struct buf *out, struct err *err) MUST_CHECK;
/* Create (never overwrite: EEXIST is ERR_IO), write, fsync the file and its directory. */
int file_create(
	const char *path, mode_t mode, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* Write beside it, fsync, rename over it, fsync the directory. */
int file_replace(
	const char *path, mode_t mode, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* fsync the directory that holds path. */
int file_sync_directory(const char *path, struct err *err) MUST_CHECK;
/* mkdir -p, each made with mode. */
int file_make_directories(const char *path, mode_t mode, struct err *err) MUST_CHECK;
/* Absolute path of an existing or not yet existing file (its directory must exist). malloc'ed. */
char *file_absolute(const char *path, struct err *err);

#endif
