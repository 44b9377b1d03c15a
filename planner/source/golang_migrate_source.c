/*
 * golang-migrate's layout: N_title.up.sql and N_title.down.sql, ordered by number. Leading zeros
 * do not count, in the order as in the history table, so that 0002 and 2 are the same version.
 */
#include <string.h>
#include "source_adapter.h"
#include "text.h"

#define VERSION_DIGITS_MAX 19 /* the history table's column is a bigint */

static int match(struct arena *arena, const char *file, struct source_name *out, bool *matches,
		 struct err *err)
{
	size_t digits = source_digits(file), zeros = strspn(file, "0"), len = strlen(file), suffix;
	int64_t number;

	out->down = text_ends(file, ".down.sql");
	suffix = out->down ? 9 : 7;
	*matches = digits > 0 && file[digits] == '_' && (out->down || text_ends(file, ".up.sql")) &&
		   len > digits + suffix;
	if (!*matches)
		return 0;
	zeros = zeros >= digits ? digits - 1 : zeros;
	out->version = arena_copy(arena, file + zeros, digits - zeros, err);
	out->title = arena_copy(arena, file + digits + 1, len - suffix - digits - 1, err);
	if (!out->version || !out->title)
		return -1;
	if (digits - zeros > VERSION_DIGITS_MAX ||
	    !text_int64(out->version, 0, INT64_MAX, &number)) {
		err_set(err, ERR_CONFIG,
			"%s: version %s is larger than golang-migrate's history table can hold",
			file, out->version);
		return err_hint(err, "rename the file; versions go up to %lld",
				(long long)INT64_MAX);
	}
	return 0;
}

static bool recognise(const struct source_file *file)
{
	(void)file;
	return true;
}

static int compare(const char *a, const char *b)
{
	size_t m, n;
	int order;

	a += strspn(a, "0");
	b += strspn(b, "0");
	m = strlen(a);
	n = strlen(b);
	if (m != n)
		return m < n ? -1 : 1;
	order = strcmp(a, b);
	return (order > 0) - (order < 0);
}

static int parts(struct arena *arena, const struct source_file *up, const struct source_file *down,
		 struct source_migration *out, struct err *err)
{
	(void)arena;
	(void)err;
	out->up = source_whole(up);
	out->has_down = down != NULL;
	if (down)
		out->down = source_whole(down);
	return 0;
}

const struct source_adapter golang_migrate_source = {
	.name = "golang-migrate",
	.pattern = "N_title.up.sql and N_title.down.sql",
	.match = match,
	.recognise = recognise,
	.compare = compare,
	.parts = parts,
	.one_file = false,
};
