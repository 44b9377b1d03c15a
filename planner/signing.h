/*
 * What sign and approve share: the bundle with its plan, the question on a terminal, the detour
 * over --export and --import, the row in the bundle.
 */
#ifndef PGDOCKET_SIGNING_H
#define PGDOCKET_SIGNING_H

#include "bundle.h"
#include "cli.h"
#include "plan_statement.h"
#include "sshsig.h"

struct signing_options { /* first members of both commands' structs */
	struct cli_common common;
	bool yes;
	const char *key, *principal, *export, *import;
};
#define SIGNING_OPTIONS(type) \
	{ "key",       0, \
	  OPTION_TEXT, offsetof(type, signing.key), \
	  "KEY",       "private key without passphrase", \
	  0,           0 }, \
		{ "principal", 0, \
		  OPTION_TEXT, offsetof(type, signing.principal), \
		  "WHO",       "who signs, as bob@example.com", \
		  0,           0 }, \
		{ "export",    0, \
		  OPTION_TEXT, offsetof(type, signing.export), \
		  "FILE",      "write the bytes to sign, for a key that lives elsewhere", \
		  0,           0 }, \
		{ "import",    0, \
		  OPTION_TEXT, offsetof(type, signing.import), \
		  "FILE.sig",  "take the signature that ssh-keygen -Y sign made", \
		  0,           0 }, \
	{ \
		"yes", 'y', OPTION_FLAG, offsetof(type, signing.yes), NULL, "do not ask", 0, 0 \
	}

struct signing {
	struct cli *cli;
	const struct signing_options *options;
	const char *name_space;
	const char *verb; /* "signed", "approved", "rejected" */
	struct bundle *bundle;
	struct buf plan_bytes;
	struct plan_statement plan;
	struct digest plan_digest;
	struct ssh_private_key *key; /* NULL until loaded */
	struct ssh_public_key signer;
	struct buf blob; /* the signature */
};

/* Exactly one of --key, --export and --import was given. ERR_USAGE. */
int signing_check_options(const struct signing_options *options, const char *command,
			  struct err *err) MUST_CHECK;
/* Opens the bundle and reads its plan. ERR_PLAN with a hint: none. signing_release always. */
int signing_open(struct signing *signing, const char *path, struct err *err) MUST_CHECK;
void signing_release(struct signing *signing);

/*
 * On a terminal: shows the plan's summary and extra, asks for "yes" unless --yes. *go false: the
 * answer was another. Without a terminal *go is true and nothing is said.
 */
int signing_confirm(struct signing *signing, const struct buf *extra, bool *go,
		    struct err *err) MUST_CHECK;
/* The answer was not yes: ERR_UNFIT, so that the exit code is not 0. */
int signing_declined(struct err *err);
int signing_load_key(struct signing *signing, struct err *err) MUST_CHECK;
/* Signs message with the loaded key. */
int signing_sign(struct signing *signing, const struct buf *message, struct err *err) MUST_CHECK;
/*
 * Writes message to --export's file, which must not exist (or hold the very same bytes), and says
 * how to sign it.
 */
int signing_export(struct signing *signing, const struct buf *message, struct err *err) MUST_CHECK;
/* Reads --import's armored signature. */
int signing_import(struct signing *signing, struct err *err) MUST_CHECK;
/* Verifies the signature over message and writes it into the bundle unless it is there. */
int signing_store(struct signing *signing, const struct buf *message, bool *added,
		  struct err *err) MUST_CHECK;
/* "plan 3f2a9c1b0d4e signed with SHA256:...", or JSON; who may be NULL. */
int signing_report(struct signing *signing, const char *who, bool added,
		   struct err *err) MUST_CHECK;

#endif
