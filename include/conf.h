/*
 * pgdocket.conf: read with inih, every key checked; an unknown section, key or value is ERR_CONFIG
 * with file and line. The text itself is kept, so that a bundle can carry it.
 */
#ifndef PGDOCKET_CONF_H
#define PGDOCKET_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct conf_list {
	size_t count;
	const char **items;
};
struct conf_wave {
	const char *name;
	struct conf_list schemas; /* globs */
	int max_failures;
};

struct conf {
	const char *path, *text; /* text: the file's bytes */
	size_t text_len;
	const char *label;         /* required */
	const char *apply_host;    /* "any" when absent */
	const char *shared_schema; /* public */
	struct conf_list shared_only;
	const char *tenants_query, *tenants_pattern; /* exactly one is set */
	struct conf_list tenants_only;
	struct conf_list search_path; /* "$schema" first by default, then public */
	bool create;
	const char *dir; /* migrations folder, relative to the conf's own folder, resolved */
	int dir_line;    /* where the file says it; 0: it does not, dir is "migrations" */
	const char *layout, *history; /* "auto" or an adapter's name */
	enum conf_policy { CONF_WARN, CONF_ALLOW, CONF_ERROR } out_of_order, unknown;
	bool per_migration; /* transaction = migration */
	bool strict_guard;
	int64_t lock_timeout_ms, statement_timeout_ms;
	int retries;
	struct conf_list accept; /* rules of findings accepted for the whole project */
	size_t waves;
	/* in file order; a last wave for all others is added when none has schemas = * */
	struct conf_wave *wave;
};

/* path NULL: ./pgdocket.conf. ERR_CONFIG. */
int conf_load(const char *path, struct conf **out, struct err *err) MUST_CHECK;
/* From text that a bundle carries; name stands for it in messages; dir stays unresolved. */
int conf_parse(const char *name, const char *text, size_t len, struct conf **out,
	       struct err *err) MUST_CHECK;
void conf_free(struct conf *conf);
bool conf_list_has(const struct conf_list *list, const char *item);

#endif
