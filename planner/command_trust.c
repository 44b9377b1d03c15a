/*
 * pgdocket trust init, pgdocket trust add: the policy directory of a host and of those who check
 * its work. Options and words only; trust.h writes.
 */
#include <string.h>
#include "commands.h"
#include "file.h"
#include "text.h"
#include "trust.h"

#define KEY_FILE_MAX 16384
#define OUTPUT_MAX 65536

struct init_options {
	struct cli_common common;
	const char *label;
};
static const struct option init_table[] = {
	{ "label", 0, OPTION_TEXT, offsetof(struct init_options, label), "LABEL",
	  "the environment's name, as pgdocket.conf has it", 0, 0 },
	CLI_COMMON_OPTIONS(struct init_options),
	{ 0 }
};
static const struct option_command init_command = {
	"trust init",
	"DIR",
	"Writes a new policy directory with a new host key, and shows the key's fingerprint.",
	init_table,
	1,
	1,
	"DIR may exist, but must not hold a policy. The fingerprint belongs into pgdocket.conf:\n"
	"[target] apply_host."
};

static int print_init(struct cli *cli, const char *dir, const struct init_options *options,
		      const char *fingerprint, struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	if (options->common.json) {
		buf_add_text(&out, "{\"directory\":");
		text_json(&out, dir, strlen(dir));
		buf_add_text(&out, ",\"label\":");
		text_json(&out, options->label, strlen(options->label));
		buf_add_format(&out, ",\"fingerprint\":\"%s\"}\n", fingerprint);
	} else {
		buf_add_text(&out, "policy of ");
		text_safe(&out, options->label, strlen(options->label));
		buf_add_text(&out, " written to ");
		text_safe(&out, dir, strlen(dir));
		buf_add_format(&out, "\nhost key: %s\n", fingerprint);
	}
	int result = cli_print(cli, &out, err);
	buf_release(&out);
	if (!result && !options->common.quiet && !options->common.json)
		fputs("next: apply_host of pgdocket.conf takes the host key; pgdocket trust add "
		      "names who may sign\n",
		      cli->talk);
	return result;
}

static int run_init(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct init_options options = { 0 };
	const char *dir = NULL;
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	bool done = false;
	if (cli_options(cli, &init_command, argc, argv, &options, &dir, &done, err) || done)
		return err->code ? -1 : 0;
	if (!options.label) {
		err_set(err, ERR_USAGE, "trust init needs --label");
		return err_hint(
			err,
			"the environment's name, as label in pgdocket.conf: --label prod-eu-1");
	}
	if (trust_init(dir, options.label, fingerprint, err))
		return -1;
	return print_init(cli, dir, &options, fingerprint, err);
}

struct add_options {
	struct cli_common common;
	const char *role, *principal, *key;
};
static const struct option add_table[] = {
	{ "role", 0, OPTION_TEXT, offsetof(struct add_options, role), "ROLE",
	  "what the key may sign: planner, approver or host", 0, 0 },
	{ "principal", 0, OPTION_TEXT, offsetof(struct add_options, principal), "WHO",
	  "whose key it is, as bob@example.com", 0, 0 },
	{ "key", 0, OPTION_TEXT, offsetof(struct add_options, key), "FILE.pub", "the public key", 0,
	  0 },
	CLI_COMMON_OPTIONS(struct add_options),
	{ 0 }
};
static const struct option_command add_command = {
	"trust add",
	"DIR",
	"Lets a key sign plans, approvals or results, by a line in the directory's "
	"allowed_signers.",
	add_table,
	1,
	1,
	"A key is one person's; a person may have several keys and roles. To take a key's rights\n"
	"away, remove its lines or put the key into revoked_keys."
};

static const struct {
	const char *word;
	enum trust_role role;
} roles[] = {
	{ "planner", ROLE_PLANNER },
	{ "approver", ROLE_APPROVER },
	{ "host", ROLE_HOST },
};

static int find_role(const char *word, enum trust_role *role, struct err *err)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].word, word) == 0) {
			*role = roles[i].role;
			return 0;
		}
	err_set(err, ERR_USAGE, "there is no role \"%s\"", word);
	return err_hint(err, "--role takes planner, approver or host");
}

static int read_public(const char *path, struct ssh_public_key *key, struct err *err)
{
	struct buf text = BUF_INIT(KEY_FILE_MAX);
	int result = file_read(path, 0, &text, err);
	if (!result && memmem(buf_text(&text), text.len, "PRIVATE KEY-----", 16)) {
		err_set(err, ERR_FORMAT, "%s is a private key, and the policy holds public ones",
			path);
		result = err_hint(err, "give the .pub file beside it; ssh-keygen -y -f %s prints "
				       "its public key", path);
	} else if (!result && ssh_public_key_parse(buf_text(&text), text.len, key, err))
		result = err_context(err, "%s", path);
	buf_release(&text);
	return result;
}

static int print_add(struct cli *cli, const struct add_options *options,
		     const struct ssh_public_key *key, bool added, struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	ssh_public_key_fingerprint(key, fingerprint);
	if (options->common.json) {
		buf_add_text(&out, "{\"principal\":");
		text_json(&out, options->principal, strlen(options->principal));
		buf_add_format(&out, ",\"role\":\"%s\",\"fingerprint\":\"%s\",\"added\":%s}\n",
			       options->role, fingerprint, added ? "true" : "false");
	} else {
		buf_add_format(&out, "%s %s %s with %s\n", options->principal,
			       added ? "is now" : "is already", options->role, fingerprint);
	}
	int result = cli_print(cli, &out, err);
	buf_release(&out);
	return result;
}

static int run_add(struct cli *cli, int argc, char **argv, struct err *err)
{
	struct add_options options = { 0 };
	const char *dir = NULL;
	struct ssh_public_key key;
	enum trust_role role = ROLE_PLANNER;
	bool done = false, added = false;
	if (cli_options(cli, &add_command, argc, argv, &options, &dir, &done, err) || done)
		return err->code ? -1 : 0;
	if (!options.role || !options.principal || !options.key) {
		err_set(err, ERR_USAGE, "trust add needs --role, --principal and --key");
		return err_hint(err, "pgdocket trust add DIR --role approver --principal "
				     "bob@example.com --key bob.pub");
	}
	if (find_role(options.role, &role, err) || read_public(options.key, &key, err) ||
	    trust_add(dir, role, options.principal, &key, &added, err))
		return -1;
	return print_add(cli, &options, &key, added, err);
}

static const struct {
	const char *word;
	int (*run)(struct cli *cli, int argc, char **argv, struct err *err);
	const struct option_command *command;
} actions[] = {
	{ "init", run_init, &init_command },
	{ "add", run_add, &add_command },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int help(struct cli *cli, struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	for (size_t i = 0; i < ACTIONS; i++) {
		if (i)
			buf_add_char(&out, '\n');
		option_help(cli->program, actions[i].command, &out);
	}
	int result = cli_print(cli, &out, err);
	buf_release(&out);
	return result;
}

static int dispatch(struct cli *cli, int argc, char **argv, struct err *err)
{
	for (size_t i = 0; argc > 1 && i < ACTIONS; i++)
		if (strcmp(actions[i].word, argv[1]) == 0)
			return actions[i].run(cli, argc - 1, argv + 1, err);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0))
		return help(cli, err);
	if (argc > 1)
		err_set(err, ERR_USAGE, "trust does not know \"%s\"", argv[1]);
	else
		err_set(err, ERR_USAGE, "trust needs to be told what to do");
	return err_hint(err,
			"pgdocket trust init DIR --label LABEL, or pgdocket trust add DIR ...");
}

int command_trust(struct cli *cli, int argc, char **argv)
{
	struct err err = ERR_INIT;
	return dispatch(cli, argc, argv, &err) ? cli_fail(cli, &err) : 0;
}
