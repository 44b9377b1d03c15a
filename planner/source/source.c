/*
 * Migration folders: lists and reads the files, lets the layout's adapter name and cut them,
 * orders the result. Knows no layout itself, and nothing of SQL.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "file.h"
#include "source_adapter.h"

#define FILE_MAX_BYTES (64u << 20)
#define FILES_NAMED 5 /* in an error's list */

static const struct source_adapter *const adapters[] = { &golang_migrate_source, &dbmate_source };
#define ADAPTERS (sizeof adapters / sizeof *adapters)

/* One file of the folder that belongs to the layout. */
struct entry {
	struct source_name name;
	struct source_file file;
};

struct listing {
	struct arena *arena;
	const char *dir;
	size_t names, capacity;
	const char **name; /* regular files, sorted by bytes */
	size_t entries;
	struct entry *entry;
};

const struct source_adapter *source_adapter_find(const char *layout)
{
	for (size_t i = 0; i < ADAPTERS; i++)
		if (strcmp(adapters[i]->name, layout) == 0)
			return adapters[i];
	return NULL;
}

const char *source_adapter_names(void)
{
	return "golang-migrate, dbmate";
}

struct source_part source_whole(const struct source_file *file)
{
	return (struct source_part){ .file = file->name,
				     .text = file->text,
				     .len = file->len,
				     .end = file->len,
				     .first_line = 1,
				     .file_text = file->text,
				     .file_len = file->len };
}

size_t source_digits(const char *name)
{
	return strspn(name, "0123456789");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_name(struct listing *list, const char *name, struct err *err)
{
	const char **more;

	if (list->names == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 64;
		more = arena_array(list->arena, list->capacity, sizeof *more, err);
		if (!more)
			return -1;
		if (list->names)
			memcpy(more, list->name, list->names * sizeof *more);
		list->name = more;
	}
	list->name[list->names] = arena_text(list->arena, name, err);
	return list->name[list->names++] ? 0 : -1;
}

static int list_names(struct listing *list, struct err *err)
{
	DIR *dir = opendir(list->dir);
	struct dirent *item;
	int rc = 0;

	if (!dir) {
		err_set_errno(err, ERR_CONFIG, "the migrations folder %s cannot be read",
			      list->dir);
		return err_hint(err, "set dir in section [migrations] of pgdocket.conf");
	}
	while (rc == 0 && (errno = 0, item = readdir(dir)) != NULL) {
		struct stat facts;
		if (item->d_name[0] != '.' && fstatat(dirfd(dir), item->d_name, &facts, 0) == 0 &&
		    S_ISREG(facts.st_mode))
			rc = add_name(list, item->d_name, err);
	}
	if (rc == 0 && errno)
		rc = err_set_errno(err, ERR_IO, "the migrations folder %s cannot be listed",
				   list->dir);
	closedir(dir);
	if (list->names)
		qsort(list->name, list->names, sizeof *list->name, by_name);
	return rc;
}

static int read_file(struct listing *list, struct source_file *file, struct err *err)
{
	struct buf bytes = BUF_INIT(FILE_MAX_BYTES);
	const char *path = arena_format(list->arena, err, "%s/%s", list->dir, file->name);
	int rc = -1;

	if (path && file_read(path, 0, &bytes, err) == 0) {
		file->text = arena_copy(list->arena, buf_text(&bytes), bytes.len, err);
		file->len = bytes.len;
		rc = file->text ? 0 : -1;
	}
	buf_release(&bytes);
	return rc;
}

/*
 * The entries of one layout. auto_detect: only those files that are recognised by their content
 * too.
 */
static int match_files(struct listing *list, const struct source_adapter *adapter, bool auto_detect,
		       struct err *err)
{
	list->entries = 0;
	list->entry = arena_array(list->arena, list->names, sizeof *list->entry, err);
	if (!list->entry)
		return -1;
	for (size_t i = 0; i < list->names; i++) {
		struct entry *entry = &list->entry[list->entries];
		bool matches;
		if (adapter->match(list->arena, list->name[i], &entry->name, &matches, err))
			return -1;
		if (!matches)
			continue;
		entry->file.name = list->name[i];
		if (read_file(list, &entry->file, err))
			return -1;
		list->entries += !auto_detect || adapter->recognise(&entry->file);
	}
	return 0;
}

static int not_recognised(const struct listing *list, struct err *err)
{
	struct buf found = BUF_INIT(2000);

	for (size_t i = 0; i < list->names && i < FILES_NAMED; i++)
		buf_add_format(&found, "%s%.100s", i ? ", " : "", list->name[i]);
	if (list->names > FILES_NAMED)
		buf_add_format(&found, " and %zu more", list->names - FILES_NAMED);
	err_set(err, ERR_CONFIG,
		"%s holds no migrations of a known layout: looked for %s (%s), and %s (%s); found "
		"%s",
		list->dir, adapters[0]->pattern, adapters[0]->name, adapters[1]->pattern,
		adapters[1]->name, list->names ? buf_text(&found) : "no files");
	buf_release(&found);
	return err_hint(
		err, "check dir and layout in section [migrations] of pgdocket.conf; layouts: %s",
		source_adapter_names());
}

static int detect(struct listing *list, const struct source_adapter **out, struct err *err)
{
	const char *example[ADAPTERS] = { NULL };
	size_t found = 0;

	for (size_t i = 0; i < ADAPTERS; i++) {
		if (match_files(list, adapters[i], true, err))
			return -1;
		if (list->entries == 0)
			continue;
		example[i] = list->entry[0].file.name;
		*out = adapters[i];
		found++;
	}
	if (found == 1)
		return 0;
	if (found == 0)
		return not_recognised(list, err);
	err_set(err, ERR_CONFIG, "%s holds migrations of two layouts: %s (%s) and %s (%s)",
		list->dir, example[0], adapters[0]->name, example[1], adapters[1]->name);
	return err_hint(err,
			"say which one counts: layout = %s or layout = %s in section [migrations] "
			"of pgdocket.conf",
			adapters[0]->name, adapters[1]->name);
}

static int choose(struct listing *list, const char *layout, const struct source_adapter **out,
		  struct err *err)
{
	if (strcmp(layout, "auto") == 0) {
		if (detect(list, out, err))
			return -1;
	} else if (!(*out = source_adapter_find(layout))) {
		err_set(err, ERR_CONFIG, "unknown migration layout \"%s\"", layout);
		return err_hint(err, "layouts: auto, %s", source_adapter_names());
	}
	if (match_files(list, *out, false, err))
		return -1;
	if (list->entries == 0 && list->names > 0)
		return not_recognised(list, err);
	return 0;
}

static int by_version(const void *a, const void *b, void *adapter)
{
	const struct entry *left = a, *right = b;
	int order = ((const struct source_adapter *)adapter)
			    ->compare(left->name.version, right->name.version);

	return order ? order : strcmp(left->file.name, right->file.name);
}

/* One migration of the entries from first on that have the same version; *next is behind them. */
static int build_one(const struct source_adapter *adapter, struct listing *list, size_t first,
		     size_t *next, struct source_migration *out, struct err *err)
{
	const struct entry *up = NULL, *down = NULL, **slot;
	const char *version = list->entry[first].name.version;
	size_t i = first;

	for (; i < list->entries && adapter->compare(list->entry[i].name.version, version) == 0;
	     i++) {
		slot = list->entry[i].name.down ? &down : &up;
		if (*slot) {
			err_set(err, ERR_CONFIG, "two migrations with version %s: %s and %s",
				version, (*slot)->file.name, list->entry[i].file.name);
			return err_hint(err, "rename one of them, with a version of its own");
		}
		*slot = &list->entry[i];
	}
	*next = i;
	if (!up) {
		err_set(err, ERR_CONFIG, "%s has no up part", list->entry[first].file.name);
		return err_hint(err, "add the file of the up part, or remove this one");
	}
	out->version = up->name.version;
	out->name = up->name.title;
	return adapter->parts(list->arena, &up->file, down ? &down->file : NULL, out, err);
}

static int build(const struct source_adapter *adapter, struct listing *list, struct source *out,
		 struct err *err)
{
	struct source_adapter copy = *adapter; /* qsort_r's argument is not const */

	out->migration = arena_array(list->arena, list->entries, sizeof *out->migration, err);
	if (!out->migration)
		return -1;
	if (list->entries)
		qsort_r(list->entry, list->entries, sizeof *list->entry, by_version, &copy);
	for (size_t i = 0; i < list->entries; out->migrations++)
		if (build_one(adapter, list, i, &i, &out->migration[out->migrations], err))
			return -1;
	return 0;
}

int source_load(struct arena *arena, const char *dir, const char *layout, struct source *out,
		struct err *err)
{
	struct listing list = { .arena = arena, .dir = dir };
	const struct source_adapter *adapter = NULL;

	memset(out, 0, sizeof *out);
	if (list_names(&list, err) || choose(&list, layout, &adapter, err) ||
	    build(adapter, &list, out, err))
		return -1;
	out->layout = adapter->name;
	return 0;
}

int source_compare_versions(const char *layout, const char *a, const char *b)
{
	const struct source_adapter *adapter = source_adapter_find(layout);

	return adapter ? adapter->compare(a, b) : strcmp(a, b);
}

int source_find(const struct source *source, const char *version)
{
	for (size_t i = 0; i < source->migrations; i++)
		if (strcmp(source->migration[i].version, version) == 0)
			return (int)i;
	return -1;
}
