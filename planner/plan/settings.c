/*
 * Settings that migrations change: SET becomes SET LOCAL and is taken back behind its migration, to
 * the value that the plan pins or to the session's default; with keep-session it stays. What is in
 * force is repeated wherever a new segment begins.
 */
#include "making.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "quote.h"

const struct doc_pin settings_pins[] = {
	{ "TimeZone", "UTC" },
	{ "DateStyle", "ISO, MDY" },
	{ "IntervalStyle", "postgres" },
	{ "bytea_output", "hex" },
	{ "default_tablespace", "" },
	{ "check_function_bodies", "on" },
	{ "standard_conforming_strings", "on" },
};
const size_t settings_pin_count = sizeof settings_pins / sizeof settings_pins[0];

/* SET TRANSACTION and SET CONSTRAINTS change the transaction, not a setting. */
static bool is_parameter(const char *name)
{
	return name && strncasecmp(name, "constraints", 11) != 0 &&
	       strncasecmp(name, "transaction", 11) != 0;
}

const char *settings_parameter(const struct setting *setting)
{
	return is_parameter(setting->from->setting) ? setting->from->setting : NULL;
}

bool settings_is_pace(const char *parameter)
{
	static const char *const names[] = { "lock_timeout",
					     "statement_timeout",
					     "idle_in_transaction_session_timeout",
					     "deadlock_timeout",
					     "work_mem",
					     "maintenance_work_mem",
					     "max_parallel_workers_per_gather",
					     "max_parallel_maintenance_workers",
					     "vacuum_cost_delay",
					     "vacuum_cost_limit",
					     "client_min_messages" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcasecmp(names[i], parameter))
			return true;
	return false;
}

static bool same_setting(const struct setting *a, const struct setting *b)
{
	return a->keep == b->keep && a->from->setting && b->from->setting &&
	       !strcasecmp(a->from->setting, b->from->setting);
}

int settings_note(struct settings *settings, const struct sql_statement *statement, bool keep,
		  const char **text, const char **why, struct err *err)
{
	struct setting setting = { statement, keep };
	size_t left = 0;

	*text = statement->text;
	*why = NULL;
	if (is_parameter(statement->setting) && !statement->set_local) {
		if (statement_set_local(settings->arena, statement, text, err))
			return -1;
		*why = keep ? "SET LOCAL instead of SET; kept, as keep-session says"
			    : "SET LOCAL instead of SET; taken back behind the migration";
	}
	setting.keep = keep && is_parameter(statement->setting);
	if (GROW(settings->arena, settings->item, settings->count, settings->room, err))
		return -1;
	for (size_t i = 0; i < settings->count; i++)
		if (!same_setting(&settings->item[i], &setting))
			settings->item[left++] = settings->item[i];
	settings->item[left++] = setting;
	settings->count = left;
	return 0;
}

void settings_forget(struct settings *settings)
{
	size_t left = 0;

	for (size_t i = 0; i < settings->count; i++)
		if (settings->item[i].keep)
			settings->item[left++] = settings->item[i];
	settings->count = left;
}

/* The value that the applier's session has, where that is not the server's default. */
static const char *session_value(const struct settings *settings, const char *name, char buffer[40])
{
	const int64_t timeouts[] = { settings->conf->lock_timeout_ms,
				     settings->conf->statement_timeout_ms };
	static const char *const names[] = { "lock_timeout", "statement_timeout" };

	for (size_t i = 0; i < 2; i++) {
		if (strcasecmp(name, names[i]) != 0)
			continue;
		snprintf(buffer, 40, "%lldms", (long long)timeouts[i]);
		return buffer;
	}
	if (!strcasecmp(name, "idle_in_transaction_session_timeout"))
		return "60s";
	if (!strcasecmp(name, "client_encoding"))
		return "UTF8";
	for (size_t i = 0; i < settings_pin_count; i++)
		if (!strcasecmp(name, settings_pins[i].name))
			return settings_pins[i].value;
	return NULL;
}

/* A setting's name, each part of it quoted: "myapp"."user". */
static int quote_setting(struct buf *out, const char *name, struct err *err)
{
	char part[128];

	for (;;) {
		size_t len = strcspn(name, ".");

		if (len >= sizeof part)
			return err_set(err, ERR_LIMIT, "a setting's name is too long: %s", name);
		snprintf(part, sizeof part, "%.*s", (int)len, name);
		if (quote_identifier(out, part, err))
			return -1;
		if (!name[len])
			return 0;
		buf_add_char(out, '.');
		name += len + 1;
	}
}

int settings_restore(struct settings *settings, const struct setting *setting, const char **text,
		     const char **tag, struct err *err)
{
	struct buf sql = BUF_INIT(4096);
	char buffer[40];
	const char *name = settings_parameter(setting), *value;
	int result = -1;

	*text = NULL;
	if (!name || setting->keep)
		return 0;
	value = session_value(settings, name, buffer);
	if (value) {
		buf_add_text(&sql, "SELECT pg_catalog.set_config(");
		if (quote_literal(&sql, name, err))
			goto out;
		buf_add_text(&sql, ", ");
		if (quote_literal(&sql, value, err))
			goto out;
		buf_add_text(&sql, ", true)");
	} else {
		buf_add_text(&sql, "SET LOCAL ");
		if (quote_setting(&sql, name, err))
			goto out;
		buf_add_text(&sql, " TO DEFAULT");
	}
	*tag = value ? "SELECT" : "SET";
	if (buf_check(&sql, err) || !(*text = arena_copy(settings->arena, sql.data, sql.len, err)))
		goto out;
	result = 0;
out:
	buf_release(&sql);
	return result;
}
