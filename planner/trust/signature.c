/*
 * Writes and finds rows of the table signature. Only a signature that fits its bytes gets in
 * through here.
 */
#include "signature.h"

#include <string.h>
#include "digest.h"
#include "plan_statement.h"
#include "sql.h"

/*
 * A row that does not verify is junk that someone put in a signature's place: it does not count as
 * there.
 */
static int row_holds(struct db_query *query, const struct signature *signature,
	const struct ssh_public_key *key, bool *holds, struct err *err)
{
	struct err inner = ERR_INIT;
	struct ssh_public_key maker;
	const char *stored;
	const void *body, *blob;
	size_t len, body_len, blob_len;
	if (db_get_text(query, 0, &stored, &len, err) || db_get_blob(query, 1, &body, &body_len, err) ||
		db_get_blob(query, 2, &blob, &blob_len, err))
		return -1;
	*holds = strcmp(stored, signature->name_space) == 0 && body_len == signature->message_len &&
		memcmp(body, signature->message, body_len) == 0 &&
		sshsig_verify(blob, blob_len, stored, body, body_len, &maker, &inner) == 0 &&
		maker.blob_len == key->blob_len && memcmp(maker.blob, key->blob, key->blob_len) == 0;
	return 0;
}

int signature_stands(struct db *db, const struct signature *signature,
	const struct ssh_public_key *key, bool *stands, struct err *err)
{
	struct digest statement, fingerprint;
	struct db_query *query = NULL;
	bool row = false;
	int result = -1;
	*stands = false;
	digest_of(signature->message, signature->message_len, &statement);
	ssh_public_key_digest(key, &fingerprint);
	if (db_prepare(db, sql_select_signature, &query, err))
		return -1;
	db_bind_blob(query, 1, statement.bytes, DIGEST_SIZE);
	db_bind_blob(query, 2, fingerprint.bytes, DIGEST_SIZE);
	result = db_step(query, &row, err);
	if (!result && row)
		result = row_holds(query, signature, key, stands, err);
	db_finish(query);
	return result;
}

int signature_put(struct db *db, const struct signature *signature, struct ssh_public_key *key,
	bool *added, struct err *err)
{
	struct ssh_public_key maker;
	struct digest statement, fingerprint;
	struct db_query *query = NULL;
	bool found = false;
	int result = -1;
	*added = false;
	if (sshsig_verify(signature->blob, signature->blob_len, signature->name_space,
			signature->message, signature->message_len, &maker, err))
		return -1;
	if (key)
		*key = maker;
	if (signature_stands(db, signature, &maker, &found, err))
		return -1;
	if (found)
		return 0;
	digest_of(signature->message, signature->message_len, &statement);
	ssh_public_key_digest(&maker, &fingerprint);
	if (db_prepare(db, sql_insert_signature, &query, err))
		return -1;
	db_bind_blob(query, 1, statement.bytes, DIGEST_SIZE);
	db_bind_blob(query, 2, fingerprint.bytes, DIGEST_SIZE);
	db_bind_text(query, 3, signature->name_space);
	db_bind_blob(query, 4, signature->message, signature->message_len);
	db_bind_blob(query, 5, signature->blob, signature->blob_len);
	result = db_run(query, err);
	*added = !result;
	db_finish(query);
	return result;
}

/* The row's approval says the same as like, by the same key. */
static int same_vote(struct db_query *query, const struct approval *like, const struct digest *key,
	bool *same, struct err *err)
{
	struct err inner = ERR_INIT;
	struct approval approval;
	const void *bytes;
	size_t len;
	*same = false;
	if (db_get_blob(query, 1, &bytes, &len, err))
		return -1;
	if (len != DIGEST_SIZE || memcmp(bytes, key->bytes, DIGEST_SIZE) != 0)
		return 0;
	if (db_get_blob(query, 2, &bytes, &len, err))
		return -1;
	*same = approval_parse(bytes, len, &approval, &inner) == 0 &&
		digest_equal(&approval.plan, &like->plan) && approval.approve == like->approve &&
		strcmp(approval.approver, like->approver) == 0 && approval.expires_us >= like->expires_us;
	return 0;
}

int signature_find_approval(struct db *db, const struct approval *like,
	const struct ssh_public_key *key, bool *found, struct err *err)
{
	struct db_query *query = NULL;
	struct digest fingerprint;
	bool row = false;
	int result = -1;
	*found = false;
	ssh_public_key_digest(key, &fingerprint);
	if (db_prepare(db, sql_select_signatures, &query, err))
		goto out;
	db_bind_text(query, 1, NAMESPACE_APPROVE);
	do {
		if (db_step(query, &row, err) || (row && same_vote(query, like, &fingerprint, found, err)))
			goto out;
	} while (row && !*found);
	result = 0;
out:
	db_finish(query);
	return result;
}
