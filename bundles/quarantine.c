/* A received file before SQLite sees it (TRUST.md b.1). Only plain system calls and a hundred bytes
 * of header are looked at here; the copy is what SQLite opens, so that nothing that stands beside
 * the original, or happens to it later, can matter. */
#include "quarantine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bundle.h"

#define QUARANTINE_HEADER 100
#define QUARANTINE_PAGE 4096

static const char *const quarantine_siblings[] = { "-journal", "-wal", "-shm" };
/* Where the private directory may be, in this order. */
static const char *const quarantine_places[] = { "/tmp/pgdocket-XXXXXX", "/var/tmp/pgdocket-XXXXXX",
	"/dev/shm/pgdocket-XXXXXX" };

/* Header fields with one allowed value (SQLite, "Database File Format", 1.3). */
static const struct {
	int offset, bytes;
	uint32_t value;
	const char *what;
} quarantine_header[] = { { 16, 2, QUARANTINE_PAGE, "the page size is not 4096" },
	{ 18, 2, 0x0101, "it is not in rollback-journal mode" },
	{ 20, 1, 0, "pages have reserved bytes" },
	{ 21, 3, 0x402020, "the payload fractions are not SQLite's" },
	{ 44, 4, 4, "the schema format is not 4" }, { 52, 4, 0, "it is in auto-vacuum mode" },
	{ 56, 4, 1, "the text encoding is not UTF-8" },
	{ 64, 4, 0, "it is in incremental-vacuum mode" },
	{ 72, 4, 0, "reserved header bytes are not zero" },
	{ 76, 4, 0, "reserved header bytes are not zero" },
	{ 80, 4, 0, "reserved header bytes are not zero" },
	{ 84, 4, 0, "reserved header bytes are not zero" },
	{ 88, 4, 0, "reserved header bytes are not zero" } };

static uint32_t quarantine_number(const unsigned char *header, int offset, int bytes)
{
	uint32_t value = 0;
	for (int i = 0; i < bytes; i++)
		value = value << 8 | header[offset + i];
	return value;
}

static int quarantine_check_header(
	const char *path, const unsigned char *header, off_t size, struct err *err)
{
	if (memcmp(header, "SQLite format 3", 16) != 0 ||
		quarantine_number(header, 68, 4) != BUNDLE_APPLICATION_ID) {
		return err_set_hint(err, ERR_FORMAT,
			"A bundle is written by `pgdocket snapshot`; if this was one, it was damaged on its "
			"way: copy it again.", "%s is not a bundle", path);
	}
	uint32_t version = quarantine_number(header, 60, 4);
	if (version > BUNDLE_VERSION && version <= INT32_MAX)
		return err_set_hint(err, ERR_VERSION, "Use a newer pgdocket to read it.",
			"%s needs version %u of the bundle format; this program reads version %d", path,
			version, BUNDLE_VERSION);
	if (version != BUNDLE_VERSION)
		return err_set(err, ERR_FORMAT,
			"%s: damaged or foreign: there is no version %u of the bundle format", path, version);
	for (size_t i = 0; i < sizeof quarantine_header / sizeof *quarantine_header; i++)
		if (quarantine_number(header, quarantine_header[i].offset, quarantine_header[i].bytes) !=
			quarantine_header[i].value)
			return err_set(
				err, ERR_FORMAT, "%s: damaged or foreign: %s", path, quarantine_header[i].what);
	if (quarantine_number(header, 24, 4) != quarantine_number(header, 92, 4))
		return err_set(err, ERR_FORMAT, "%s: damaged or foreign: its change counters differ", path);
	if ((int64_t)quarantine_number(header, 28, 4) * QUARANTINE_PAGE != (int64_t)size)
		return err_set_hint(err, ERR_FORMAT,
			"It was cut short or added to on its way: copy it again.",
			"%s: damaged: %lld bytes do not fit its header, which says %u pages of %d", path,
			(long long)size, quarantine_number(header, 28, 4), QUARANTINE_PAGE);
	return 0;
}

static int quarantine_check_siblings(const char *path, struct err *err)
{
	for (size_t i = 0; i < sizeof quarantine_siblings / sizeof *quarantine_siblings; i++) {
		struct stat stat;
		char *sibling = NULL;
		if (asprintf(&sibling, "%s%s", path, quarantine_siblings[i]) < 0)
			return err_nomem(err);
		int found = lstat(sibling, &stat) == 0;
		if (found) {
			err_set(err, ERR_FORMAT, "%s stands beside the bundle", sibling);
			err_hint(err,
				"A bundle is one file. This one was written by something else or copied while in "
				"use: get a clean copy, and remove %s if nobody needs it.",
				sibling);
		}
		free(sibling);
		if (found)
			return -1;
	}
	return 0;
}

static int quarantine_open(const char *path, struct stat *stat, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return err_set_hint(err, ERR_FORMAT, "Give the path of the file itself.",
			"%s is a symbolic link", path);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "%s cannot be opened", path);
	if (fstat(fd, stat))
		err_set_errno(err, ERR_IO, "%s cannot be examined", path);
	else if (!S_ISREG(stat->st_mode))
		err_set(err, ERR_FORMAT, "%s is not a regular file", path);
	else if (stat->st_nlink != 1) {
		err_set_hint(err, ERR_FORMAT, "Make a copy of it and use that.",
			"%s has %ju names (hard links); a bundle must have one", path,
			(uintmax_t)stat->st_nlink);
	} else if (stat->st_size < QUARANTINE_PAGE)
		err_set(err, ERR_FORMAT, "%s is not a bundle: it has only %lld bytes", path,
			(long long)stat->st_size);
	else if (stat->st_size > BUNDLE_MAX_BYTES)
		err_set(err, ERR_LIMIT, "%s has %lld bytes; a bundle has at most %lld", path,
			(long long)stat->st_size, BUNDLE_MAX_BYTES);
	else
		return fd;
	close(fd);
	return -1;
}

static int quarantine_make_directory(struct quarantine *quarantine, struct err *err)
{
	for (size_t i = 0; i < sizeof quarantine_places / sizeof *quarantine_places; i++) {
		char place[32];
		snprintf(place, sizeof place, "%s", quarantine_places[i]);
		if (!mkdtemp(place))
			continue;
		/* SQLite is told to follow no link at any step of the path, so it gets the true one. */
		quarantine->directory = realpath(place, NULL);
		if (!quarantine->directory ||
			asprintf(&quarantine->copy, "%s/bundle", quarantine->directory) < 0) {
			quarantine->copy = NULL;
			rmdir(place);
			return err_nomem(err);
		}
		return 0;
	}
	return err_set_errno(
		err, ERR_IO, "no private directory can be made in /tmp, /var/tmp or /dev/shm");
}

static bool quarantine_write(int fd, const char *bytes, size_t len)
{
	for (ssize_t put; len; bytes += put, len -= (size_t)put)
		if ((put = TEMP_FAILURE_RETRY(write(fd, bytes, len))) <= 0)
			return false;
	return true;
}

/* Digest what comes from fd, and write it to out when that is not -1. */
static int quarantine_pump(
	int fd, int out, const char *path, struct digest *digest, off_t *size, struct err *err)
{
	char block[1 << 16];
	ssize_t got = 0;
	struct digest_stream *stream = digest_start();
	if (!stream)
		return err_nomem(err);
	*size = 0;
	while ((got = TEMP_FAILURE_RETRY(read(fd, block, sizeof block))) > 0) {
		digest_add(stream, block, (size_t)got);
		*size += got;
		if (out >= 0 && !quarantine_write(out, block, (size_t)got)) {
			err_set_errno(err, ERR_IO, "%s cannot be copied to a private directory", path);
			break;
		}
	}
	digest_finish(stream, digest);
	if (got < 0)
		err_set_errno(err, ERR_IO, "%s cannot be read", path);
	return got == 0 ? 0 : -1;
}

int quarantine_digest(int fd, const char *path, struct digest *out, off_t *size, struct err *err)
{
	return quarantine_pump(fd, -1, path, out, size, err);
}

static int quarantine_copy(int fd, struct quarantine *quarantine, struct err *err)
{
	off_t size = 0;
	int rc = -1, out = open(quarantine->copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_set_errno(err, ERR_IO, "%s cannot be made", quarantine->copy);
	if (quarantine_pump(fd, out, quarantine->path, &quarantine->origin.digest, &size, err) == 0)
		rc = size == quarantine->origin.stat.st_size
			? 0
			: err_set(err, ERR_IO, "%s changed while it was read", quarantine->path);
	if (close(out) && rc == 0)
		rc = err_set_errno(err, ERR_IO, "%s cannot be written", quarantine->copy);
	return rc;
}

int quarantine_take(const char *path, struct quarantine *out, struct err *err)
{
	unsigned char header[QUARANTINE_HEADER];
	struct quarantine taken = { 0 };
	int rc = -1, fd = quarantine_open(path, &taken.origin.stat, err);
	if (fd < 0)
		return -1;
	if (!(taken.path = strdup(path))) {
		err_nomem(err);
		goto out;
	}
	if (quarantine_check_siblings(path, err))
		goto out;
	if (pread(fd, header, sizeof header, 0) != (ssize_t)sizeof header) {
		err_set_errno(err, ERR_IO, "%s cannot be read", path);
		goto out;
	}
	if (quarantine_check_header(path, header, taken.origin.stat.st_size, err) ||
		quarantine_make_directory(&taken, err) || quarantine_copy(fd, &taken, err))
		goto out;
	*out = taken;
	memset(&taken, 0, sizeof taken);
	rc = 0;
out:
	close(fd);
	quarantine_release(&taken);
	return rc;
}

void quarantine_remove(struct quarantine *quarantine)
{
	if (!quarantine->directory)
		return;
	unlink(quarantine->copy);
	rmdir(quarantine->directory);
	free(quarantine->directory);
	quarantine->directory = NULL;
}

void quarantine_release(struct quarantine *quarantine)
{
	quarantine_remove(quarantine);
	free(quarantine->path);
	free(quarantine->copy);
	quarantine->path = quarantine->copy = NULL;
}
