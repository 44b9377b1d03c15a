/*
 * pgdocket sign: the planner's signature over the plan statement, made here or brought from
 * elsewhere.
 */
#include "commands.h"
#include "signature.h"
#include "signing.h"

struct sign_options {
	struct signing_options signing;
};
static const struct option table[] = { SIGNING_OPTIONS(struct sign_options),
				       CLI_COMMON_OPTIONS(struct signing_options),
				       { 0 } };
static const struct option_command command = {
	"sign",
	"FILE",
	"Signs the bundle's plan as the one who made it.",
	table,
	1,
	1,
	"On a terminal it shows the plan and asks; without one it asks nothing. It checks only\n"
	"that the signature fits the plan: whether the key may plan is judged by pgdocket verify\n"
	"and by the applier. For a key in an agent, on a token or with a passphrase:\n"
	"  pgdocket sign FILE --export plan.txt\n"
	"  ssh-keygen -Y sign -n " NAMESPACE_PLAN " -f KEY plan.txt\n"
	"  pgdocket sign FILE --import plan.txt.sig"
};

/* Ask and sign; *stands true, and nothing asked, when the key has signed this plan already. */
static int sign_here(struct signing *signing, bool *go, bool *stands, struct err *err)
{
	const struct buf *bytes = &signing->plan_bytes;
	struct signature row = { signing->name_space, bytes->data, bytes->len, NULL, 0 };
	if (signing_load_key(signing, err) ||
	    signature_stands(bundle_db(signing->bundle), &row, &signing->signer, stands, err))
		return -1;
	if (*stands)
		return 0;
	if (signing_confirm(signing, NULL, go, err))
		return -1;
	return *go ? signing_sign(signing, bytes, err) : 0;
}

static int sign(struct signing *signing, const char *path, struct err *err)
{
	bool go = true, stands = false, added = false;
	if (signing_check_options(signing->options, command.name, err) ||
	    signing_open(signing, path, err))
		return -1;
	if (signing->options->export)
		return signing_export(signing, &signing->plan_bytes, err);
	if (signing->options->import ? signing_import(signing, err)
				     : sign_here(signing, &go, &stands, err))
		return -1;
	if (!go)
		return signing_declined(err);
	if (!stands && signing_store(signing, &signing->plan_bytes, &added, err))
		return -1;
	return signing_report(signing, signing->options->principal, added, err);
}

int command_sign(struct cli *cli, int argc, char **argv)
{
	struct sign_options options = { 0 };
	struct signing signing = { .cli = cli,
				   .options = &options.signing,
				   .name_space = NAMESPACE_PLAN,
				   .verb = "signed" };
	struct err err = ERR_INIT;
	const char *path = NULL;
	bool done = false;
	int result = cli_options(cli, &command, argc, argv, &options, &path, &done, &err);
	if (!result && !done)
		result = sign(&signing, path, &err);
	signing_release(&signing);
	return result ? cli_fail(cli, &err) : 0;
}
