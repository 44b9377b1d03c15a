/*
 * Loads a bundle's plan for review: statement, document, and who signed. It checks digests, because
 * reviewers must see what would run; it judges no signature.
 */
#include "show.h"

#include <string.h>
#include "sql.h"
#include "text.h"

static int fingerprint(struct arena *arena, const void *key, size_t len, const char **out,
		       struct err *err)
{
	struct buf text = BUF_INIT(128);
	int result = -1;

	buf_add_text(&text, "SHA256:");
	text_base64(&text, key, len);
	while (text.len && text.data[text.len - 1] == '=')
		text.len--;
	if (buf_check(&text, err) == 0 &&
	    (*out = arena_copy(arena, text.data, text.len, err)) != NULL)
		result = 0;
	buf_release(&text);
	return result;
}

static int read_approval(struct show *show, struct show_signature *signature, const char *body,
			 size_t len, struct err *err)
{
	struct err ignored = ERR_INIT;
	struct approval approval;

	if (strcmp(signature->name_space, NAMESPACE_APPROVE) != 0 ||
	    approval_parse(body, len, &approval, &ignored) ||
	    !digest_equal(&approval.plan, &show->plan))
		return 0;
	signature->is_approval = true;
	signature->approve = approval.approve;
	signature->signed_at_us = approval.signed_at_us;
	signature->who = arena_text(show->arena, approval.approver, err);
	signature->comment = arena_text(show->arena, approval.comment, err);
	return signature->who && signature->comment ? 0 : -1;
}

static int read_signature(struct show *show, struct db_query *query, struct err *err)
{
	struct show_signature *signature = &show->signature[show->signatures];
	const char *name_space;
	const void *bytes;
	size_t len;

	if (db_get_blob(query, 0, &bytes, &len, err) ||
	    fingerprint(show->arena, bytes, len, &signature->fingerprint, err) ||
	    db_get_text(query, 1, &name_space, &len, err) ||
	    !(signature->name_space = arena_text(show->arena, name_space, err)) ||
	    db_get_blob(query, 2, &bytes, &len, err) ||
	    read_approval(show, signature, bytes, len, err))
		return -1;
	show->signatures++;
	return 0;
}

#define SIGNATURES_SHOWN 256

static int read_signatures(struct show *show, struct err *err)
{
	struct db_query *query = NULL;
	bool row = false;
	int result = -1;

	show->signature = arena_array(show->arena, SIGNATURES_SHOWN, sizeof *show->signature, err);
	if (!show->signature || db_prepare(show->db, sql_show_signatures, &query, err))
		goto out;
	do {
		if (db_step(query, &row, err) || (row && read_signature(show, query, err)))
			goto out;
	} while (row && show->signatures < SIGNATURES_SHOWN);
	result = 0;
out:
	db_finish(query);
	return result;
}

int show_load(struct db *bundle, struct show *out, struct err *err)
{
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	bool found = false;
	int result = -1;

	memset(out, 0, sizeof *out);
	out->db = bundle;
	out->arena = arena_new(16u << 20);
	if (!out->arena)
		return err_nomem(err);
	if (plan_statement_load(bundle, &bytes, &out->statement, &out->plan, &found, err))
		goto out;
	if (!found) {
		err_set(err, ERR_PLAN, "the bundle holds no plan");
		err_hint(err, "make one with `pgdocket plan FILE`; `pgdocket status FILE` shows "
			      "the snapshot");
		goto out;
	}
	if (document_load(bundle, &out->statement.document, out->statement.document_size,
			  &out->document, err) ||
	    read_signatures(out, err))
		goto out;
	result = 0;
out:
	buf_release(&bytes);
	return result;
}

void show_release(struct show *show)
{
	document_free(show->document);
	arena_free(show->arena);
	memset(show, 0, sizeof *show);
}
