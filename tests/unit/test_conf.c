/* pgdocket.conf: defaults, every key, every message. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "conf.h"

#define LEAST "[target]\nlabel = l\n[tenants]\npattern = t_*\n"

static struct conf *conf;

static int parse(const char *text, struct err *err)
{
	conf = NULL;
	return conf_parse("x.conf", text, strlen(text), &conf, err);
}

static void good(const char *text)
{
	struct err err = ERR_INIT;

	cr_assert_eq(parse(text, &err), 0, "%s: %s", text, err.message);
}

Test(conf, defaults)
{
	good(LEAST);
	cr_expect_str_eq(conf->label, "l");
	cr_expect_str_eq(conf->apply_host, "any");
	cr_expect_str_eq(conf->shared_schema, "public");
	cr_expect_str_eq(conf->tenants_pattern, "t_*");
	cr_expect_null(conf->tenants_query);
	cr_expect_eq(conf->search_path.count, 2);
	cr_expect_str_eq(conf->search_path.items[0], "$schema");
	cr_expect_str_eq(conf->dir, "migrations");
	cr_expect_str_eq(conf->layout, "auto");
	cr_expect_str_eq(conf->history, "auto");
	cr_expect(!conf->create && !conf->per_migration && !conf->strict_guard);
	cr_expect_eq(conf->out_of_order, CONF_WARN);
	cr_expect_eq(conf->unknown, CONF_ERROR);
	cr_expect_eq(conf->lock_timeout_ms, 2000);
	cr_expect_eq(conf->statement_timeout_ms, 1800000);
	cr_expect_eq(conf->retries, 10);
	cr_expect_eq(conf->waves, 1);
	cr_expect_str_eq(conf->wave[0].name, "rest");
	cr_expect_str_eq(conf->wave[0].schemas.items[0], "*");
	conf_free(conf);
}

Test(conf, every_key)
{
	good("; a comment\n# another\n[target]\nlabel = prod-eu-1 ; behind it\n"
	     "apply_host = SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ\n[shared]\nschema = common\nonly = users, \"odd name\" ,roles\n"
	     "[tenants]\nquery = SELECT schema_name, active\n   FROM public.tenants\n\tORDER BY 1\nonly = a\n"
	     "search_path = \"$schema\", common, ext\ncreate = yes\n[migrations]\ndir = /sql\nlayout = dbmate\nhistory = golang-migrate\n"
	     "out_of_order = error\nunknown = allow\n[plan]\ntransaction = migration\nguard = strict\nlock_timeout = 500ms\n"
	     "statement_timeout = 2h\nretries = 3\naccept = drift, orphan\n"
	     "[wave canary]\nschemas = tenant_demo, t_*\nmax_failures = 2\n[wave all]\nschemas = *\n");
	cr_expect_str_eq(conf->label, "prod-eu-1");
	cr_expect_str_eq(conf->tenants_query, "SELECT schema_name, active FROM public.tenants ORDER BY 1");
	cr_expect_eq(conf->shared_only.count, 3);
	cr_expect(conf_list_has(&conf->shared_only, "odd name"));
	cr_expect_str_eq(conf->search_path.items[0], "$schema");
	cr_expect_eq(conf->search_path.count, 3);
	cr_expect(conf->create && conf->per_migration && conf->strict_guard);
	cr_expect_eq(conf->out_of_order, CONF_ERROR);
	cr_expect_eq(conf->unknown, CONF_ALLOW);
	cr_expect_eq(conf->lock_timeout_ms, 500);
	cr_expect_eq(conf->statement_timeout_ms, 7200000);
	cr_expect_eq(conf->retries, 3);
	cr_expect_eq(conf->waves, 2);
	cr_expect_eq(conf->wave[0].max_failures, 2);
	cr_expect_eq(conf->wave[0].schemas.count, 2);
	cr_expect_str_eq(conf->wave[1].name, "all");
	conf_free(conf);
}

Test(conf, a_last_wave_takes_the_rest)
{
	good(LEAST "[wave canary]\nschemas = demo\n[wave two words]\nschemas = a*\n");
	cr_expect_eq(conf->waves, 3);
	cr_expect_str_eq(conf->wave[1].name, "two words");
	cr_expect_str_eq(conf->wave[2].name, "rest");
	conf_free(conf);
}

Test(conf, byte_order_mark_crlf_and_no_last_newline)
{
	good("\xef\xbb\xbf[target]\r\nlabel = l\r\n[tenants]\r\nquery = SELECT\r\n  1");
	cr_expect_str_eq(conf->tenants_query, "SELECT 1");
	conf_free(conf);
}

static const struct { const char *text, *message, *hint; } wrong[] = {
	{ "", "x.conf: [target] has no label", "label = NAME: what this environment is called; the host's policy pins the same" },
	{ "[target]\nlabel = l\n", "x.conf: [tenants] has neither query nor pattern", "one of: query = SELECT ..., pattern = tenant_*" },
	{ LEAST "query = SELECT 1\n", "x.conf: [tenants] has a query and a pattern", "one of: query = SELECT ..., pattern = tenant_*" },
	{ "[target]\nlabel = l\n\n[terget]\n", "x.conf:4: there is no section [terget]",
	  "sections are target, shared, tenants, migrations, plan and wave NAME" },
	{ "[wave]\n", "x.conf:1: there is no section [wave]", "sections are target, shared, tenants, migrations, plan and wave NAME" },
	{ "[target\nlabel = l\n", "x.conf:1: a section's name lacks its ]", "" },
	{ "[target]\nlable = l\n", "x.conf:2: [target] has no key \"lable\"", "its keys are label, apply_host" },
	{ "[wave a]\nschema = x\n", "x.conf:2: [wave a] has no key \"schema\"", "its keys are schemas, max_failures" },
	{ "[target]\nlabel = l\nlabel = m\n", "x.conf:3: [target] has \"label\" twice", "" },
	{ "label = l\n", "x.conf:1: \"label\" stands before the first section", "" },
	{ "[target]\nlabel\n", "x.conf:2: neither a section, nor key = value, nor a comment", "comments begin with ; or #" },
	{ "[target]\nlabel =\n", "x.conf:2: label has no value", "" },
	{ "[target]\n; \xff\n", "x.conf:2: not valid UTF-8", "" },
	{ LEAST "[shared]\nschema = "
	  "a234567890123456789012345678901234567890123456789012345678901234\n", "x.conf:6: schema is longer than 63 bytes", "" },
	{ LEAST "[shared]\nonly = a,,b\n", "x.conf:6: only: an item of a list is empty", "" },
	{ LEAST "[shared]\nonly = a, b, a\n", "x.conf:6: only: \"a\" stands there twice", "" },
	{ LEAST "[shared]\nonly = "
	  "a234567890123456789012345678901234567890123456789012345678901234\n",
	  "x.conf:6: only: an item of a list is longer than 63 bytes", "" },
	{ LEAST "create = maybe\n", "x.conf:5: create cannot be \"maybe\"", "it is no or yes" },
	{ LEAST "[migrations]\nout_of_order = never\n", "x.conf:6: out_of_order cannot be \"never\"", "it is warn or allow or error" },
	{ LEAST "[migrations]\nunknown = warn\n", "x.conf:6: unknown cannot be \"warn\"", "it is allow or error" },
	{ LEAST "[plan]\nguard = tight\n", "x.conf:6: guard cannot be \"tight\"", "it is normal or strict" },
	{ LEAST "[plan]\ntransaction = all\n", "x.conf:6: transaction cannot be \"all\"", "it is schema or migration" },
	{ LEAST "[plan]\nlock_timeout = 5\n", "x.conf:6: lock_timeout: \"5\" is not a time between 1ms and 1d",
	  "a number and its unit: 500ms, 2s, 30min, 1h, 7d" },
	{ LEAST "[plan]\nlock_timeout = 0s\n", "x.conf:6: lock_timeout: \"0s\" is not a time between 1ms and 1d",
	  "a number and its unit: 500ms, 2s, 30min, 1h, 7d" },
	{ LEAST "[plan]\nretries = 1001\n", "x.conf:6: retries: \"1001\" is not a whole number from 0 to 1000", "" },
	{ LEAST "[plan]\nretries = many\n", "x.conf:6: retries: \"many\" is not a whole number from 0 to 1000", "" },
	{ LEAST "[migrations]\nlayout = flyaway\n", "x.conf: layout \"flyaway\" is not known", NULL },
	{ LEAST "[migrations]\nhistory = flyaway\n", "x.conf: history \"flyaway\" is not known", NULL },
	{ LEAST "search_path = public\n", "x.conf: search_path lacks \"$schema\"", "" },
	{ LEAST "only = a\n[shared]\nonly = a\n", "x.conf: \"a\" is in [shared] only and in [tenants] only", "" },
	{ "[target]\nlabel = l\napply_host = SHA256:abc\n[tenants]\npattern = *\n",
	  "x.conf: apply_host \"SHA256:abc\" is not a key's fingerprint",
	  "SHA256: and 43 letters and digits, as `pgdocket trust init` prints it; or any" },
	{ LEAST "[wave a]\nmax_failures = 1\n", "x.conf: [wave a] has no schemas", "" },
	{ LEAST "[wave a]\nschemas = *\n[wave b]\nschemas = b\n",
	  "x.conf: [wave a] takes all schemas, but [wave b] stands behind it", "" },
	{ LEAST "[wave rest]\nschemas = b\n", "x.conf: [wave rest] must be the last wave and have schemas = *", "" },
	{ LEAST "[wave a]\nschemas = x\n[wave a]\nschemas = y\n", "x.conf:7: there are two waves \"a\"", "" },
	{ LEAST "[wave shared]\nschemas = x\n", "x.conf:5: a wave cannot be called \"shared\"", "" },
	{ LEAST "[wave  ]\nschemas = x\n", "x.conf:5: there is no section [wave]", NULL },
	{ "[target]\nlabel = 12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	  "90123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\n",
	  "x.conf:2: the line has 216 bytes; fewer than 200 are allowed", "go on in the next line, indented" },
};

Test(conf, every_message)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err err = ERR_INIT;
		cr_expect_eq(parse(wrong[i].text, &err), -1, "%s", wrong[i].text);
		cr_expect_eq(err.code, ERR_CONFIG);
		cr_expect_str_eq(err.message, wrong[i].message);
		if (wrong[i].hint)
			cr_expect_str_eq(err.hint, wrong[i].hint);
	}
}

Test(conf, folder_of_the_file)
{
	char folder[] = "/tmp/conf.XXXXXX", path[64], dir[64];
	struct err err = ERR_INIT;
	FILE *file;

	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/my.conf", folder);
	snprintf(dir, sizeof dir, "%s/sql", folder);
	file = fopen(path, "w");
	fputs(LEAST "[migrations]\ndir = sql\n", file);
	fclose(file);
	cr_assert_eq(conf_load(path, &conf, &err), 0, "%s", err.message);
	cr_expect_str_eq(conf->dir, dir);
	cr_expect_str_eq(conf->path, path);
	conf_free(conf);
	unlink(path);
	rmdir(folder);
	cr_expect_eq(conf_load(path, &conf, &err), -1);
	cr_expect_eq(err.code, ERR_CONFIG);
	cr_expect_str_eq(err.hint, "pgdocket.conf is looked for in the working folder; --config names another");
}
