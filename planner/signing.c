/*
 * The common part of sign and approve. It checks only that a signature fits the bytes it is made
 * for; whether the signer may sign is judged where a policy is: by verify and by the applier.
 */
#include "signing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "file.h"
#include "signature.h"
#include "text.h"

#define OUTPUT_MAX (1u << 20)

int signing_check_options(const struct signing_options *options, const char *command,
			  struct err *err)
{
	int ways = !!options->key + !!options->export + !!options->import;
	if (ways == 1)
		return 0;
	err_set(err, ERR_USAGE,
		ways ? "%s takes only one of --key, --export and --import"
		     : "%s needs --key, --export or --import",
		command);
	return err_hint(err, "--key KEY signs here; --export FILE and --import FILE.sig serve keys "
			     "that live elsewhere");
}

int signing_open(struct signing *signing, const char *path, struct err *err)
{
	bool found = false;
	buf_init(&signing->plan_bytes, STATEMENT_MAX_BYTES);
	buf_init(&signing->blob, SSHSIG_MAX_BYTES);
	if (bundle_open(path, &signing->bundle, err) ||
	    plan_statement_load(bundle_db(signing->bundle), &signing->plan_bytes, &signing->plan,
				&signing->plan_digest, &found, err))
		return -1;
	if (found)
		return 0;
	err_set(err, ERR_PLAN, "%s has no plan to sign", path);
	return err_hint(err, "pgdocket plan %s makes one", path);
}

void signing_release(struct signing *signing)
{
	ssh_private_key_free(signing->key);
	buf_release(&signing->plan_bytes);
	buf_release(&signing->blob);
	bundle_close(signing->bundle);
}

static void add_line(struct buf *out, const char *name, const char *value)
{
	buf_add_format(out, "  %-12s ", name);
	text_safe(out, value, strlen(value));
	buf_add_char(out, '\n');
}

static void add_time(struct buf *out, const char *name, int64_t us)
{
	char time[CLOCK_SECONDS_SIZE];
	clock_seconds(us, time);
	add_line(out, name, time);
}

static void summary(const struct signing *signing, struct buf *out)
{
	const struct plan_statement *plan = &signing->plan;
	char hex[DIGEST_HEX_SIZE];
	digest_hex(&signing->plan_digest, hex);
	buf_add_format(out, "plan %.12s\n", hex);
	add_line(out, "for", plan->label);
	add_line(out, "database", plan->database);
	add_line(out, "apply host", plan->apply_host);
	buf_add_format(out, "  %-12s %lld\n  %-12s %lld, %lld of them destructive\n", "schemas",
		       (long long)plan->schemas, "statements", (long long)plan->statements,
		       (long long)plan->destructive);
	add_time(out, "created", plan->created_us);
	if (plan->not_before_us != plan->created_us)
		add_time(out, "not before", plan->not_before_us);
	add_time(out, "expires", plan->expires_us);
	add_line(out, "ticket", plan->ticket);
}

int signing_confirm(struct signing *signing, const struct buf *extra, bool *go, struct err *err)
{
	struct buf text = BUF_INIT(OUTPUT_MAX);
	char *answer = NULL;
	int result = -1;
	*go = true;
	if (!cli_terminal())
		return 0;
	summary(signing, &text);
	if (extra)
		buf_add(&text, buf_text(extra), extra->len);
	if (buf_check(&text, err))
		goto out;
	if (!signing->options->common.quiet || !signing->options->yes)
		fputs(buf_text(&text), signing->cli->talk);
	if (!signing->options->yes) {
		answer = cli_ask(signing->cli, "Sign this? yes or no:", true, err);
		if (!answer)
			goto out;
		*go = strcmp(answer, "yes") == 0;
	}
	result = 0;
out:
	free(answer);
	buf_release(&text);
	return result;
}

int signing_declined(struct err *err)
{
	err_set(err, ERR_UNFIT, "not signed: the answer was not yes");
	return err_hint(err, "only the whole word yes signs; --yes answers beforehand");
}

int signing_load_key(struct signing *signing, struct err *err)
{
	if (ssh_private_key_read(signing->options->key, &signing->key, err))
		return -1;
	signing->signer = *ssh_private_key_public(signing->key);
	return 0;
}

int signing_sign(struct signing *signing, const struct buf *message, struct err *err)
{
	return sshsig_sign(signing->key, signing->name_space, message->data, message->len,
			   &signing->blob, err);
}

static bool holds(const char *path, const struct buf *message)
{
	struct err err = ERR_INIT;
	struct buf there = BUF_INIT(STATEMENT_MAX_BYTES);
	bool same = file_read(path, 0, &there, &err) == 0 && there.len == message->len &&
		    memcmp(buf_text(&there), message->data, message->len) == 0;
	buf_release(&there);
	return same;
}

int signing_export(struct signing *signing, const struct buf *message, struct err *err)
{
	const char *path = signing->options->export;
	struct buf out = BUF_INIT(OUTPUT_MAX);
	if (access(path, F_OK) == 0) {
		if (!holds(path, message)) {
			err_set(err, ERR_IO, "%s is there already", path);
			return err_hint(err, "give another name, or remove it");
		}
	} else if (file_create(path, 0644, message->data, message->len, err)) {
		return -1;
	}
	if (signing->options->common.json) {
		buf_add_text(&out, "{\"export\":");
		text_json(&out, path, strlen(path));
		buf_add_format(&out, ",\"namespace\":\"%s\"}\n", signing->name_space);
	} else {
		text_safe(&out, path, strlen(path));
		buf_add_format(&out, " written; sign it with: ssh-keygen -Y sign -n %s -f KEY ",
			       signing->name_space);
		text_safe(&out, path, strlen(path));
		buf_add_char(&out, '\n');
	}
	int result = cli_print(signing->cli, &out, err);
	buf_release(&out);
	return result;
}

int signing_import(struct signing *signing, struct err *err)
{
	const char *path = signing->options->import;
	struct buf text = BUF_INIT(SSHSIG_MAX_BYTES);
	int result = file_read(path, 0, &text, err);
	if (!result && sshsig_dearmor(buf_text(&text), text.len, &signing->blob, err))
		result = err_context(err, "%s", path);
	buf_release(&text);
	return result;
}

int signing_store(struct signing *signing, const struct buf *message, bool *added, struct err *err)
{
	struct signature row = { signing->name_space, message->data, message->len,
				 (const uint8_t *)signing->blob.data, signing->blob.len };
	struct bundle_edit *edit = NULL;
	bool stands = false;
	*added = false;
	if (sshsig_verify(row.blob, row.blob_len, row.name_space, row.message, row.message_len,
			  &signing->signer, err) ||
	    signature_stands(bundle_db(signing->bundle), &row, &signing->signer, &stands, err))
		return -1;
	if (stands)
		return 0;
	if (bundle_edit(bundle_path(signing->bundle), signing->bundle, false, &edit, err))
		return -1;
	if (signature_put(bundle_edit_db(edit), &row, NULL, added, err)) {
		bundle_edit_abort(edit);
		return -1;
	}
	return bundle_edit_commit(edit, err);
}

int signing_report(struct signing *signing, const char *who, bool added, struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	char hex[DIGEST_HEX_SIZE], fingerprint[SSHSIG_FINGERPRINT_SIZE];
	digest_hex(&signing->plan_digest, hex);
	ssh_public_key_fingerprint(&signing->signer, fingerprint);
	if (signing->options->common.json) {
		buf_add_format(&out, "{\"plan\":\"%s\",\"did\":\"%s\",\"principal\":", hex,
			       signing->verb);
		if (who)
			text_json(&out, who, strlen(who));
		else
			buf_add_text(&out, "null");
		buf_add_format(&out, ",\"fingerprint\":\"%s\",\"added\":%s}\n", fingerprint,
			       added ? "true" : "false");
	} else {
		buf_add_format(&out, "plan %.12s %s%s with %s", hex, added ? "" : "was already ",
			       signing->verb, fingerprint);
		/* What stands already may stand under another name. */
		if (who && added) {
			buf_add_text(&out, " as ");
			text_safe(&out, who, strlen(who));
		}
		buf_add_text(&out, added ? "\n" : "; nothing added\n");
	}
	int result = cli_print(signing->cli, &out, err);
	buf_release(&out);
	return result;
}
