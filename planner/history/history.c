/*
 * The table of history adapters, and what all of them share: the canonical text of a state, read
 * against a source and written again. Knows no tool; each is a file of its own beside this one.
 */
#include <string.h>
#include "history_driver.h"

static const struct history_driver *const drivers[] = { &golang_migrate_history, &dbmate_history };
#define DRIVERS (sizeof drivers / sizeof *drivers)

const struct history_adapter *const *history_adapters(void)
{
	static const struct history_adapter *const adapters[] = { &golang_migrate_history.adapter,
								  &dbmate_history.adapter, NULL };

	return adapters;
}

/* Every adapter is the first member of its driver. */
static const struct history_driver *driver_of(const struct history_adapter *adapter)
{
	return (const struct history_driver *)(const void *)adapter;
}

const struct history_adapter *history_find(const char *name)
{
	for (size_t i = 0; i < DRIVERS; i++)
		if (strcmp(drivers[i]->adapter.name, name) == 0)
			return &drivers[i]->adapter;
	return NULL;
}

const struct history_adapter *history_of_layout(const char *layout)
{
	for (size_t i = 0; i < DRIVERS; i++)
		if (strcmp(drivers[i]->layout, layout) == 0)
			return &drivers[i]->adapter;
	return NULL;
}

static bool has_word(const char *words, const char *word, size_t len)
{
	while (*words) {
		size_t n = strcspn(words, " ");
		if (n == len && memcmp(words, word, len) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

static size_t count_words(const char *words)
{
	size_t count = 0;

	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		words += strcspn(words, " ");
		count++;
	}
	return count;
}

/* One alternative of an adapter's columns, up to '|' or the end. */
static bool columns_fit(const char *wanted, const char *end, const char *columns)
{
	size_t count = 0;
	bool more = false;

	while (wanted < end) {
		size_t n = strcspn(wanted, " |");
		if (n == 1 && *wanted == '*')
			more = true;
		else if (!has_word(columns, wanted, n))
			return false;
		else
			count++;
		wanted += n;
		wanted += strspn(wanted, " ");
	}
	return more || count == count_words(columns);
}

const struct history_adapter *history_recognise(const char *table, const char *columns)
{
	for (size_t i = 0; i < DRIVERS; i++) {
		const char *wanted = drivers[i]->adapter.columns;
		if (strcmp(drivers[i]->adapter.table, table) != 0)
			continue;
		while (*wanted) {
			const char *end = wanted + strcspn(wanted, "|");
			if (columns_fit(wanted, end, columns))
				return &drivers[i]->adapter;
			wanted = *end ? end + 1 : end;
		}
	}
	return NULL;
}

int history_add_unknown(struct arena *arena, struct history_state *state, const char *version,
			struct err *err)
{
	/* Room for powers of two: full exactly when the count is one. */
	if ((state->unknowns & (state->unknowns - 1)) == 0) {
		size_t room = state->unknowns ? state->unknowns * 2 : 1;
		const char **more = arena_array(arena, room, sizeof *more, err);
		if (!more)
			return -1;
		if (state->unknowns)
			memcpy(more, state->unknown, state->unknowns * sizeof *more);
		state->unknown = more;
	}
	state->unknown[state->unknowns++] = version;
	return 0;
}

static void count_out_of_order(const struct source *source, struct history_state *state)
{
	size_t newest = source->migrations;

	while (newest > 0 && !state->applied[newest - 1])
		newest--;
	for (size_t i = 0; i < newest; i++)
		state->out_of_order += !state->applied[i];
}

static const struct history_driver *driver_of_text(const char *text, size_t len, size_t *first)
{
	for (size_t i = 0; i < DRIVERS; i++) {
		size_t n = strlen(drivers[i]->adapter.name);
		if (len > n && text[n] == '\n' && memcmp(text, drivers[i]->adapter.name, n) == 0) {
			*first = n + 1;
			return drivers[i];
		}
	}
	return NULL;
}

int history_read_state(struct arena *arena, const char *text, size_t len,
		       const struct source *source, struct history_state *out, struct err *err)
{
	const struct history_driver *driver;
	size_t at = 0;

	memset(out, 0, sizeof *out);
	out->applied = arena_array(arena, source->migrations, sizeof *out->applied, err);
	if (!out->applied)
		return -1;
	if (len == 5 && memcmp(text, "none\n", 5) == 0)
		return 0;
	driver = driver_of_text(text, len, &at);
	if (!driver || text[len - 1] != '\n')
		return err_set(err, ERR_FORMAT, "this is not the text of a migration state");
	out->adapter = &driver->adapter;
	while (at < len) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = (size_t)(newline - (text + at));
		if (driver->read_line(arena, text + at, n, source, out, err))
			return -1;
		at += n + 1;
	}
	if (driver->adapter.any_order)
		count_out_of_order(source, out);
	return 0;
}

int history_state_text(const struct history_adapter *adapter, const struct history_state *before,
		       const struct source *source, const bool *applied_after, struct buf *out,
		       struct err *err)
{
	buf_add_text(out, adapter->name);
	buf_add_char(out, '\n');
	return driver_of(adapter)->lines(before, source, applied_after, out, err);
}

int history_writes(struct arena *arena, const struct history_adapter *adapter,
		   const struct history_state *before, const struct source *source,
		   const bool *applied_after, struct history_write **out, size_t *count,
		   struct err *err)
{
	*out = arena_array(arena, 2 * source->migrations + 2, sizeof **out, err);
	if (!*out)
		return -1;
	return driver_of(adapter)->writes(arena, before, source, applied_after, *out, count, err);
}

bool history_native_lock(const struct history_adapter *adapter, const char *schema,
			 const char *database, int64_t *id)
{
	const struct history_driver *driver = driver_of(adapter);

	return driver->native_lock && driver->native_lock(schema, database, id);
}
