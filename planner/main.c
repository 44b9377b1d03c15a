/* pgdocket: the planner. A table of commands; everything else is theirs. */
#include "commands.h"

static const struct cli_command commands[] = {
	{ "snapshot", command_snapshot, "reads every schema's state and shape into a new bundle" },
	{ "status", command_status, "shows what is applied, pending and unlike in every schema" },
	{ "trust", command_trust, "writes a policy directory, and names who may plan, approve, apply" },
	{ "plan", command_plan,
		"builds the plan from the snapshot: what will run where, in which order" },
	{ "show", command_show, "shows the plan to those who review it" },
	{ "sign", command_sign, "signs the plan as the one who made it" },
	{ "approve", command_approve, "approves or rejects the plan" },
	{ "verify", command_verify, "checks everything that the applier would check without a server" },
	{ "audit", command_audit, "verifies what came back, says who planned, approved and ran what" },
	{ NULL, NULL, NULL }
};

int main(int argc, char **argv)
{
	return cli_main("pgdocket",
		"plans, shows, signs and audits migrations of databases with one schema per tenant",
		commands, argc, argv);
}
