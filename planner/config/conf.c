/*
 * pgdocket.conf as a struct: what each key is called, what it may hold, what holds when it is
 * absent. How lines are read is conf_lines.c's part. Says nothing of whether folders or schemas
 * exist; those who use them do.
 */
#include <stdlib.h>
#include <string.h>
#include "buf.h"
#include "conf_private.h"
#include "file.h"
#include "history.h"
#include "text.h"

#define CONF_MAX_BYTES (1u << 20)
#define ARENA_MAX_BYTES (16u << 20)
#define IDENTIFIER_MAX 63
#define DAY_MS 86400000ll

struct owner { /* what conf_free gets back */
	struct conf conf;
	struct arena *arena;
};

enum key_kind { KEY_TEXT, KEY_LIST, KEY_BOOL, KEY_CHOICE, KEY_DURATION, KEY_COUNT };

struct key {
	const char *section, *name;
	enum key_kind kind;
	size_t offset;
	/* bool: no, yes; choice: in the enum's order; NULL: not a word of this key */
	const char *words[4];
	int64_t low, high; /* duration (ms), count */
};

#define CONF(field) offsetof(struct conf, field)
static const struct key keys[] = {
	{ "target", "label", KEY_TEXT, CONF(label), { 0 }, 1, 200 },
	{ "target", "apply_host", KEY_TEXT, CONF(apply_host), { 0 }, 1, 64 },
	{ "shared", "schema", KEY_TEXT, CONF(shared_schema), { 0 }, 1, IDENTIFIER_MAX },
	{ "shared", "only", KEY_LIST, CONF(shared_only), { 0 }, 0, 0 },
	{ "tenants", "query", KEY_TEXT, CONF(tenants_query), { 0 }, 1, 65536 },
	{ "tenants", "pattern", KEY_TEXT, CONF(tenants_pattern), { 0 }, 1, 200 },
	{ "tenants", "only", KEY_LIST, CONF(tenants_only), { 0 }, 0, 0 },
	{ "tenants", "search_path", KEY_LIST, CONF(search_path), { 0 }, 0, 0 },
	{ "tenants", "create", KEY_BOOL, CONF(create), { "no", "yes" }, 0, 0 },
	{ "migrations", "dir", KEY_TEXT, CONF(dir), { 0 }, 1, 4096 },
	{ "migrations", "layout", KEY_TEXT, CONF(layout), { 0 }, 1, 40 },
	{ "migrations", "history", KEY_TEXT, CONF(history), { 0 }, 1, 40 },
	{ "migrations", "out_of_order", KEY_CHOICE, CONF(out_of_order),
	  { "warn", "allow", "error" }, 0, 0 },
	{ "migrations", "unknown", KEY_CHOICE, CONF(unknown), { NULL, "allow", "error" }, 0, 0 },
	{ "plan", "transaction", KEY_BOOL, CONF(per_migration), { "schema", "migration" }, 0, 0 },
	{ "plan", "guard", KEY_BOOL, CONF(strict_guard), { "normal", "strict" }, 0, 0 },
	{ "plan", "lock_timeout", KEY_DURATION, CONF(lock_timeout_ms), { 0 }, 1, DAY_MS },
	{ "plan", "statement_timeout", KEY_DURATION, CONF(statement_timeout_ms),
	  { 0 }, 1, 7 * DAY_MS },
	{ "plan", "retries", KEY_COUNT, CONF(retries), { 0 }, 0, 1000 },
	{ "plan", "accept", KEY_LIST, CONF(accept), { 0 }, 0, 0 },
	{ CONF_WAVE_SECTION, "schemas", KEY_LIST, offsetof(struct conf_wave, schemas),
	  { 0 }, 0, 0 },
	{ CONF_WAVE_SECTION, "max_failures", KEY_COUNT, offsetof(struct conf_wave, max_failures),
	  { 0 }, 0, 1000000 },
};
#define KEYS (sizeof keys / sizeof *keys)

static bool is_wave(const char *section)
{
	return text_starts(section, CONF_WAVE_SECTION " ");
}

bool conf_section_known(const char *section)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].section, section) == 0)
			return strcmp(section, CONF_WAVE_SECTION) != 0;
	return is_wave(section);
}

static const struct key *find_key(const char *section, const char *name)
{
	const char *wanted = is_wave(section) ? CONF_WAVE_SECTION : section;

	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].section, wanted) == 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static int unknown_key(const struct conf_reader *reader, const char *section, const char *name,
		       struct err *err)
{
	const char *wanted = is_wave(section) ? CONF_WAVE_SECTION : section;
	struct buf names = BUF_INIT(500);

	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].section, wanted) == 0)
			buf_add_format(&names, "%s%s", names.len ? ", " : "", keys[i].name);
	conf_error(reader, err, "[%s] has no key \"%s\"", section, name);
	err_hint(err, "its keys are %s", buf_text(&names));
	buf_release(&names);
	return -1;
}

/* One item between commas: blanks and double quotes around it are taken off. */
static const char *item_of(struct arena *arena, const char *at, size_t len, struct err *err)
{
	while (len && (at[0] == ' ' || at[0] == '\t')) {
		at++;
		len--;
	}
	while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	if (len >= 2 && at[0] == '"' && at[len - 1] == '"') {
		at++;
		len -= 2;
	}
	return arena_copy(arena, at, len, err);
}

static int set_list(struct conf_reader *reader, const struct key *key, const char *value,
		    struct conf_list *out, struct err *err)
{
	size_t room = 1;

	for (const char *at = value; *at; at++)
		room += *at == ',';
	memset(out, 0, sizeof *out);
	out->items = arena_array(reader->arena, room, sizeof *out->items, err);
	if (!out->items)
		return -1;
	while (*value) {
		size_t len = strcspn(value, ",");
		const char *item = item_of(reader->arena, value, len, err);
		if (!item)
			return -1;
		if (!*item || strlen(item) > IDENTIFIER_MAX)
			return conf_error(reader, err, "%s: an item of a list is %s", key->name,
					  *item ? "longer than 63 bytes" : "empty");
		if (conf_list_has(out, item))
			return conf_error(reader, err, "%s: \"%s\" stands there twice", key->name,
					  item);
		out->items[out->count++] = item;
		value += len;
		value += *value == ',';
	}
	return 0;
}

static int wrong_word(const struct conf_reader *reader, const struct key *key, const char *value,
		      struct err *err)
{
	conf_error(reader, err, "%s cannot be \"%s\"", key->name, value);
	return err_hint(err, "it is %s%s%s%s%s", key->words[0] ? key->words[0] : "",
			key->words[0] && key->words[1] ? " or " : "", key->words[1],
			key->words[2] ? " or " : "", key->words[2] ? key->words[2] : "");
}

static int set_word(const struct conf_reader *reader, const struct key *key, const char *value,
		    void *out, struct err *err)
{
	for (int i = 0; i < 3; i++) {
		if (!key->words[i] || strcmp(key->words[i], value) != 0)
			continue;
		if (key->kind == KEY_BOOL)
			*(bool *)out = i == 1;
		else
			*(enum conf_policy *)out = (enum conf_policy)i;
		return 0;
	}
	return wrong_word(reader, key, value, err);
}

static int set_duration(const struct conf_reader *reader, const struct key *key, const char *value,
			int64_t *out, struct err *err)
{
	if (text_duration_ms(value, out) && *out >= key->low && *out <= key->high)
		return 0;
	conf_error(reader, err, "%s: \"%s\" is not a time between 1ms and %lldd", key->name, value,
		   (long long)(key->high / DAY_MS));
	return err_hint(err, "a number and its unit: 500ms, 2s, 30min, 1h, 7d");
}

static int set_count(const struct conf_reader *reader, const struct key *key, const char *value,
		     int *out, struct err *err)
{
	int64_t number;

	if (!text_int64(value, key->low, key->high, &number))
		return conf_error(reader, err, "%s: \"%s\" is not a whole number from %lld to %lld",
				  key->name, value, (long long)key->low, (long long)key->high);
	*out = (int)number;
	return 0;
}

static int set_text(struct conf_reader *reader, const struct key *key, const char *value,
		    const char **out, struct err *err)
{
	if (!*value)
		return conf_error(reader, err, "%s has no value", key->name);
	if (strlen(value) > (size_t)key->high)
		return conf_error(reader, err, "%s is longer than %lld bytes", key->name,
				  (long long)key->high);
	*out = arena_text(reader->arena, value, err);
	return *out ? 0 : -1;
}

int conf_set(struct conf_reader *reader, const char *section, const char *name, const char *value,
	     struct err *err)
{
	const struct key *key = find_key(section, name);
	char *base = is_wave(section) ? (char *)&reader->conf->wave[reader->conf->waves - 1]
				      : (char *)reader->conf;
	void *out;

	if (!key)
		return unknown_key(reader, section, name, err);
	out = base + key->offset;
	if (key->offset == CONF(dir) && !is_wave(section))
		reader->conf->dir_line = reader->key_line;
	switch (key->kind) {
	case KEY_TEXT: return set_text(reader, key, value, out, err);
	case KEY_LIST: return set_list(reader, key, value, out, err);
	case KEY_BOOL:
	case KEY_CHOICE: return set_word(reader, key, value, out, err);
	case KEY_DURATION: return set_duration(reader, key, value, out, err);
	case KEY_COUNT: return set_count(reader, key, value, out, err);
	}
	return err_set(err, ERR_BUG, "pgdocket.conf: a key of no kind");
}

int conf_add_wave(struct conf_reader *reader, const char *name, struct err *err)
{
	struct conf *conf = reader->conf;
	struct conf_wave *more;

	for (size_t i = 0; i < conf->waves; i++)
		if (strcmp(conf->wave[i].name, name) == 0)
			return conf_error(reader, err, "there are two waves \"%s\"", name);
	if (!*name || strcmp(name, "shared") == 0)
		return conf_error(reader, err, "a wave cannot be called \"%s\"", name);
	more = arena_array(reader->arena, conf->waves + 2, sizeof *more, err);
	if (!more)
		return -1;
	if (conf->waves)
		memcpy(more, conf->wave, conf->waves * sizeof *more);
	conf->wave = more;
	conf->wave[conf->waves].name = arena_text(reader->arena, name, err);
	return conf->wave[conf->waves++].name ? 0 : -1;
}

static void set_defaults(struct conf *conf)
{
	static const char *paths[] = { "$schema", "public" };

	conf->apply_host = "any";
	conf->shared_schema = "public";
	conf->search_path = (struct conf_list){ 2, paths };
	conf->dir = "migrations";
	conf->layout = conf->history = "auto";
	conf->out_of_order = CONF_WARN;
	conf->unknown = CONF_ERROR;
	conf->lock_timeout_ms = 2000;
	conf->statement_timeout_ms = 30 * 60 * 1000;
	conf->retries = 10;
}

/* Waves come in file order; what none of them takes is the last one's. */
static int finish_waves(struct conf_reader *reader, struct err *err)
{
	static const char *all[] = { "*" };
	struct conf *conf = reader->conf;

	for (size_t i = 0; i < conf->waves; i++) {
		if (!conf->wave[i].schemas.count)
			return conf_whole_error(reader, err, "[wave %s] has no schemas",
						conf->wave[i].name);
		if (conf_list_has(&conf->wave[i].schemas, "*") && i + 1 < conf->waves)
			return conf_whole_error(
				reader, err,
				"[wave %s] takes all schemas, but [wave %s] stands behind it",
				conf->wave[i].name, conf->wave[i + 1].name);
	}
	if (conf->waves && conf_list_has(&conf->wave[conf->waves - 1].schemas, "*"))
		return 0;
	for (size_t i = 0; i < conf->waves; i++)
		if (strcmp(conf->wave[i].name, "rest") == 0)
			return conf_whole_error(
				reader, err,
				"[wave rest] must be the last wave and have schemas = *");
	if (conf_add_wave(reader, "rest", err))
		return -1;
	conf->wave[conf->waves - 1].schemas = (struct conf_list){ 1, all };
	return 0;
}

static bool is_fingerprint(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return text_starts(text, "SHA256:") && strlen(text) == 50 && strspn(text + 7, digits) == 43;
}

/* What one key alone cannot tell. */
static int check_whole(struct conf_reader *reader, struct err *err)
{
	const struct conf *conf = reader->conf;

	if (!conf->label) {
		conf_whole_error(reader, err, "[target] has no label");
		return err_hint(err, "label = NAME: what this environment is called; the host's "
				     "policy pins the same");
	}
	if (strcmp(conf->apply_host, "any") != 0 && !is_fingerprint(conf->apply_host)) {
		conf_whole_error(reader, err, "apply_host \"%s\" is not a key's fingerprint",
				 conf->apply_host);
		return err_hint(err, "SHA256: and 43 letters and digits, as `pgdocket trust init` "
				     "prints it; or any");
	}
	if (!conf->tenants_query == !conf->tenants_pattern) {
		conf_whole_error(reader, err, "[tenants] has %s",
				 conf->tenants_query ? "a query and a pattern"
						     : "neither query nor pattern");
		return err_hint(err, "one of: query = SELECT ..., pattern = tenant_*");
	}
	if (!conf_list_has(&conf->search_path, "$schema"))
		return conf_whole_error(reader, err, "search_path lacks \"$schema\"");
	for (size_t i = 0; i < conf->shared_only.count; i++)
		if (conf_list_has(&conf->tenants_only, conf->shared_only.items[i]))
			return conf_whole_error(reader, err,
						"\"%s\" is in [shared] only and in [tenants] only",
						conf->shared_only.items[i]);
	if (strcmp(conf->layout, "auto") != 0 && !history_of_layout(conf->layout))
		return conf_whole_error(reader, err, "layout \"%s\" is not known", conf->layout);
	if (strcmp(conf->history, "auto") != 0 && !history_find(conf->history))
		return conf_whole_error(reader, err, "history \"%s\" is not known", conf->history);
	return finish_waves(reader, err);
}

int conf_parse(const char *name, const char *text, size_t len, struct conf **out, struct err *err)
{
	struct owner *owner = calloc(1, sizeof *owner);
	struct conf_reader reader = { 0 };

	if (!owner)
		return err_nomem(err);
	owner->arena = arena_new(ARENA_MAX_BYTES);
	if (!owner->arena) {
		err_nomem(err);
		goto fail;
	}
	set_defaults(&owner->conf);
	reader.arena = owner->arena;
	reader.conf = &owner->conf;
	reader.err = err;
	owner->conf.path = arena_text(owner->arena, name, err);
	owner->conf.text = arena_copy(owner->arena, text, len, err);
	owner->conf.text_len = len;
	if (!owner->conf.path || !owner->conf.text || conf_read_lines(&reader, err) ||
	    check_whole(&reader, err))
		goto fail;
	*out = &owner->conf;
	return 0;
fail:
	conf_free(&owner->conf);
	return -1;
}

/* dir: as written; relative ones hang on the folder of the configuration file. */
static int resolve_dir(struct conf *conf, const char *path, struct err *err)
{
	struct owner *owner = (struct owner *)(void *)conf;
	const char *slash = strrchr(path, '/');

	if (conf->dir[0] == '/' || !slash)
		return 0;
	conf->dir =
		arena_format(owner->arena, err, "%.*s/%s", (int)(slash - path), path, conf->dir);
	return conf->dir ? 0 : -1;
}

int conf_load(const char *path, struct conf **out, struct err *err)
{
	struct buf text = BUF_INIT(CONF_MAX_BYTES);
	struct conf *conf = NULL;
	int result = -1;

	if (!path)
		path = "pgdocket.conf";
	if (file_read(path, 0, &text, err)) {
		if (err->code == ERR_IO)
			err->code = ERR_CONFIG;
		err_hint(err, "pgdocket.conf is looked for in the working folder; --config names "
			      "another");
		goto out;
	}
	if (conf_parse(path, buf_text(&text), text.len, &conf, err) || resolve_dir(conf, path, err))
		goto out;
	*out = conf;
	conf = NULL;
	result = 0;
out:
	conf_free(conf);
	buf_release(&text);
	return result;
}

void conf_free(struct conf *conf)
{
	struct owner *owner = (struct owner *)(void *)conf;

	if (!owner)
		return;
	arena_free(owner->arena);
	free(owner);
}

bool conf_list_has(const struct conf_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}
