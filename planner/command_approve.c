/*
 * pgdocket approve: an approval or a rejection of the plan, as a statement of its own that names
 * the plan and the approver.
 */
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "commands.h"
#include "file.h"
#include "signature.h"
#include "signing.h"
#include "text.h"

struct approve_options {
	struct signing_options signing;
	bool reject;
	const char *comment, *statement;
	int64_t expires_ms; /* -1: the plan's */
};
#define AT(field) offsetof(struct approve_options, field)
static const struct option table[] = {
	SIGNING_OPTIONS(struct approve_options),
	{ "reject", 0, OPTION_FLAG, AT(reject), NULL, "reject the plan; this stands for ever", 0,
	  0 },
	{ "comment", 0, OPTION_TEXT, AT(comment), "TEXT", "why; at most 512 bytes", 0, 0 },
	{ "expires", 0, OPTION_DURATION, AT(expires_ms), "DURATION",
	  "counts only so long, as 24h (default: the plan's)", 0, 0 },
	{ "statement", 0, OPTION_TEXT, AT(statement), "FILE",
	  "with --import: what was signed (default: without .sig)", 0, 0 },
	CLI_COMMON_OPTIONS(struct signing_options),
	{ 0 }
};
static const struct option_command command = {
	"approve",
	"FILE",
	"Approves or rejects the bundle's plan.",
	table,
	1,
	1,
	"On a terminal it shows the plan and asks; without one it asks nothing. It checks only\n"
	"that the signature fits the statement: whether the key may approve is judged by pgdocket\n"
	"verify and by the applier. For a key in an agent, on a token or with a passphrase:\n"
	"  pgdocket approve FILE --principal WHO --export approval.txt\n"
	"  ssh-keygen -Y sign -n " NAMESPACE_APPROVE " -f KEY approval.txt\n"
	"  pgdocket approve FILE --import approval.txt.sig"
};

/* The vote in its struct and as the bytes that are signed. */
struct vote {
	struct approval approval;
	struct buf bytes;
};

static int copy_text(char out[STATEMENT_TEXT_MAX], const char *text, const char *option,
		     struct err *err)
{
	size_t len = strlen(text), bad;
	if (!len || len >= STATEMENT_TEXT_MAX || !text_utf8(text, len, &bad)) {
		err_set(err, ERR_USAGE, "%s is empty, longer than %d bytes, or not UTF-8", option,
			STATEMENT_TEXT_MAX - 1);
		return err_hint(err, "say it shorter");
	}
	memcpy(out, text, len + 1);
	return 0;
}

static int shorten_expiry(const struct approve_options *options, const struct plan_statement *plan,
			  struct approval *approval, struct err *err)
{
	int64_t lasts_us;
	approval->expires_us = plan->expires_us;
	if (options->expires_ms < 0)
		return 0;
	if (__builtin_mul_overflow(options->expires_ms, INT64_C(1000), &lasts_us) ||
	    __builtin_add_overflow(approval->signed_at_us, lasts_us, &approval->expires_us) ||
	    approval->expires_us > plan->expires_us) {
		char time[CLOCK_SECONDS_SIZE];
		clock_seconds(plan->expires_us, time);
		err_set(err, ERR_USAGE, "--expires ends after the plan itself, which expires %s",
			time);
		return err_hint(err,
				"--expires only shortens; leave it out for the plan's own expiry");
	}
	approval->expires_us -= approval->expires_us % 1000000;
	return 0;
}

static int make_vote(const struct signing *signing, const struct approve_options *options,
		     struct vote *vote, struct err *err)
{
	struct approval *approval = &vote->approval;
	int64_t now = clock_now_us();
	approval->plan = signing->plan_digest;
	approval->approve = !options->reject;
	approval->signed_at_us = now - now % 1000000;
	memcpy(approval->ticket, signing->plan.ticket, sizeof(approval->ticket));
	if (!options->signing.principal) {
		err_set(err, ERR_USAGE, "approve needs --principal");
		return err_hint(err, "who approves, as in the policy's allowed_signers: "
				     "--principal bob@example.com");
	}
	if (copy_text(approval->approver, options->signing.principal, "--principal", err) ||
	    copy_text(approval->comment, options->comment ? options->comment : "none", "--comment",
		      err) ||
	    shorten_expiry(options, &signing->plan, approval, err) ||
	    plan_statement_nonce(approval->nonce, err))
		return -1;
	return approval_write(approval, &vote->bytes, err);
}

static char *statement_path(const struct approve_options *options, struct err *err)
{
	const char *import = options->signing.import;
	char *path = NULL;
	if (options->statement)
		path = strdup(options->statement);
	else if (text_ends(import, ".sig"))
		path = strndup(import, strlen(import) - 4);
	else {
		err_set(err, ERR_USAGE, "what does %s sign?", import);
		err_hint(err, "--statement FILE names the exported approval, when it is not the "
			      "file's name without .sig");
		return NULL;
	}
	if (!path)
		err_nomem(err);
	return path;
}

/*
 * What was exported, by whoever and whenever: it must be about this plan, and by this person when
 * one is named.
 */
static int read_vote(struct signing *signing, const struct approve_options *options,
		     struct vote *vote, struct err *err)
{
	const char *principal = options->signing.principal;
	char *path = statement_path(options, err);
	int result = -1;
	if (!path || file_read(path, 0, &vote->bytes, err))
		goto out;
	if (approval_parse(buf_text(&vote->bytes), vote->bytes.len, &vote->approval, err)) {
		err_context(err, "%s", path);
		goto out;
	}
	if (!digest_equal(&vote->approval.plan, &signing->plan_digest)) {
		err_refuse(err, "statement", "%s is about another plan", path);
		err_hint(err, "export it again from this bundle: pgdocket approve FILE --principal "
			      "WHO --export NEW");
		goto out;
	}
	if (principal && strcmp(principal, vote->approval.approver) != 0) {
		err_refuse(err, "statement", "%s is by %s, not by %s", path,
			   vote->approval.approver, principal);
		goto out;
	}
	result = 0;
out:
	free(path);
	return result;
}

static void describe(const struct approval *approval, struct buf *out)
{
	char time[CLOCK_SECONDS_SIZE];
	clock_seconds(approval->expires_us, time);
	buf_add_format(out, "%s by ", approval->approve ? "approval" : "REJECTION");
	text_safe(out, approval->approver, strlen(approval->approver));
	buf_add_format(out, "\n  %-12s %s\n  %-12s ", "expires", time, "comment");
	text_safe(out, approval->comment, strlen(approval->comment));
	buf_add_char(out, '\n');
}

/*
 * Ask and sign; *go false when the answer is no, *stands true when the same vote is in the bundle
 * already.
 */
static int sign_vote(struct signing *signing, const struct vote *vote, bool *go, bool *stands,
		     struct err *err)
{
	struct buf extra = BUF_INIT(STATEMENT_MAX_BYTES);
	int result = -1;
	if (signing_load_key(signing, err) ||
	    signature_find_approval(bundle_db(signing->bundle), &vote->approval, &signing->signer,
				    stands, err))
		goto out;
	if (!*stands) {
		describe(&vote->approval, &extra);
		if (buf_check(&extra, err) || signing_confirm(signing, &extra, go, err) ||
		    (*go && signing_sign(signing, &vote->bytes, err)))
			goto out;
	}
	result = 0;
out:
	buf_release(&extra);
	return result;
}

static int finish(struct signing *signing, const struct vote *vote, bool stands, struct err *err)
{
	bool added = false;
	signing->verb = vote->approval.approve ? "approved" : "rejected";
	if (!stands && signing_store(signing, &vote->bytes, &added, err))
		return -1;
	return signing_report(signing, vote->approval.approver, added, err);
}

static int approve(struct signing *signing, const struct approve_options *options, const char *path,
		   struct vote *vote, struct err *err)
{
	bool go = true, stands = false;
	if (signing_check_options(&options->signing, command.name, err))
		return -1;
	if (options->signing.import &&
	    (options->reject || options->comment || options->expires_ms >= 0)) {
		err_set(err, ERR_USAGE,
			"--import takes the vote from the statement that was signed");
		return err_hint(err, "--reject, --comment and --expires belong to --export");
	}
	if (signing_open(signing, path, err))
		return -1;
	if (options->signing.import) {
		if (read_vote(signing, options, vote, err) || signing_import(signing, err))
			return -1;
		return finish(signing, vote, false, err);
	}
	if (make_vote(signing, options, vote, err))
		return -1;
	if (options->signing.export)
		return signing_export(signing, &vote->bytes, err);
	if (sign_vote(signing, vote, &go, &stands, err))
		return -1;
	if (!go)
		return signing_declined(err);
	return finish(signing, vote, stands, err);
}

int command_approve(struct cli *cli, int argc, char **argv)
{
	struct approve_options options = { .expires_ms = -1 };
	struct signing signing = { .cli = cli,
				   .options = &options.signing,
				   .name_space = NAMESPACE_APPROVE };
	struct vote vote = { .bytes = BUF_INIT(STATEMENT_MAX_BYTES) };
	struct err err = ERR_INIT;
	const char *path = NULL;
	bool done = false;
	int result = cli_options(cli, &command, argc, argv, &options, &path, &done, &err);
	if (!result && !done)
		result = approve(&signing, &options, path, &vote, &err);
	buf_release(&vote.bytes);
	signing_release(&signing);
	return result ? cli_fail(cli, &err) : 0;
}
