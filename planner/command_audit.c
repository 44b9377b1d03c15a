/*
 * pgdocket audit: verifies a bundle that came back and reports who planned, approved and ran
 * what, when, with which result. Reads the bundle and the policy directory; speaks to no server
 * and changes nothing.
 */
#include <stddef.h>
#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "trust.h"

#define REPORT_MAX_BYTES (512u << 20)

struct audit_values {
	struct cli_common common;
	const char *trust, *schema;
};

static const struct option options[] = {
	{ "trust", 0, OPTION_TEXT, offsetof(struct audit_values, trust), "DIR",
	  "policy directory (default /etc/pgdocket)", 0, 0 },
	{ "schema", 0, OPTION_TEXT, offsetof(struct audit_values, schema), "NAME",
	  "the records of this schema, one by one", 0, 0 },
	CLI_COMMON_OPTIONS(struct audit_values),
	{ NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0 }
};

static const struct option_command command = {
	"audit", "FILE",
	"verifies the records of a plan's runs and reports who planned, approved and ran what, with "
	"which result",
	options, 1, 1,
	"Approvals are judged as of the first run's start: a plan that has expired since can still be "
	"audited.\n"
	"Exit codes: 0 verified and complete, 3 forged or altered, 4 verified and not complete."
};

static int report(
	struct cli *cli, const struct audit_values *values, const struct audit *audit, struct err *err)
{
	struct buf out = BUF_INIT(REPORT_MAX_BYTES);
	bool color = cli_color(cli, &values->common);
	int result = values->common.json ? audit_report_json(audit, values->schema, &out, err)
	                                 : audit_report(audit, values->schema, color, &out, err);
	if (!result)
		result = cli_print(cli, &out, err);
	buf_release(&out);
	return result;
}

int command_audit(struct cli *cli, int argc, char **argv)
{
	struct audit_values values = { .trust = "/etc/pgdocket" };
	const char *file = NULL;
	struct trust *trust = NULL;
	struct audit *audit = NULL;
	struct err err = ERR_INIT;
	bool done = false;
	int status = 0;
	if (cli_options(cli, &command, argc, argv, &values, &file, &done, &err) || done)
		goto out;
	if (trust_open(values.trust, false, &trust, &err) ||
		audit_read(file, trust, clock_now_us(), &audit, &err) || report(cli, &values, audit, &err))
		goto out;
	status = audit_complete(audit) ? 0 : 4;
out:
	if (err.code)
		status = cli_fail(cli, &err);
	audit_free(audit);
	trust_close(trust);
	return status;
}
