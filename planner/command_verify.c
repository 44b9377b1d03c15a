/*
 * `pgdocket verify`: what the applier would check without a server, on the desk of whoever wants to
 * know. Changes nothing.
 */
#include "clock.h"
#include "commands.h"
#include "verify.h"

struct verify_options {
	struct cli_common common;
	const char *trust;
};

static const struct option verify_table[] = { { "trust", 0, OPTION_TEXT,
						offsetof(struct verify_options, trust), "DIR",
						"policy directory (default /etc/pgdocket)", 0, 0 },
					      CLI_COMMON_OPTIONS(struct verify_options),
					      { 0 } };

static const struct option_command verify_command = {
	"verify",
	"FILE",
	"checks everything that the applier would check without a server",
	verify_table,
	1,
	1,
	"Signatures, quorum, times and identity by the policy; the plan document, every object, "
	"the snapshot, earlier runs' records.\n"
	"Exit code 0: verified; 3: refused.\n"
};

int command_verify(struct cli *cli, int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct verify_options options = { .trust = "/etc/pgdocket" };
	struct buf report = BUF_INIT(4u << 20);
	struct verified verified = { 0 };
	struct trust *trust = NULL;
	const char *file = NULL;
	bool done = false;
	int status = 0;
	if (cli_options(cli, &verify_command, argc, argv, &options, &file, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	if (trust_open(options.trust, true, &trust, &err) ||
	    verify_bundle(file, trust, NULL, clock_now_us(), &verified, &err) ||
	    verify_runs(&verified, trust, clock_now_us(), &err) ||
	    (options.common.json ? verify_report_json : verify_report)(&verified, &report, &err) ||
	    cli_print(cli, &report, &err))
		status = cli_fail(cli, &err);
	verify_release(&verified);
	trust_close(trust);
	buf_release(&report);
	return status;
}
