/*
 * A plan put into a bundle that is being edited: objects, document, statement. Whatever an earlier
 * plan or earlier migrations left behind is removed first, so that the document names every object
 * that the bundle holds.
 */
#include "making.h"

#include <stdio.h>
#include <string.h>
#include "bundle.h"
#include "object.h"
#include "sql.h"

static int put_step(struct db *db, const struct doc_step *step, struct err *err)
{
	struct digest digest;

	return object_put(db, step->answer ? "query" : "statement", step->text, step->text_len,
			  &digest, err);
}

static int put_steps(struct db *db, const struct doc_step *step, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (put_step(db, &step[i], err))
			return -1;
	return 0;
}

/* The text that a statement had before settings.c rewrote it. */
static int put_original(const struct plan *plan, struct db *db, const struct digest *wanted,
			struct err *err)
{
	struct digest digest;

	for (size_t i = 0; i < plan->originals; i++)
		if (digest_equal(&plan->original[i].digest, wanted))
			return object_put(db, "statement", plan->original[i].text,
					  plan->original[i].len, &digest, err);
	return err_set(err, ERR_BUG, "a rewritten statement's original was not kept");
}

static int put_segment(const struct plan *plan, struct db *db, const struct doc_segment *segment,
		       struct err *err)
{
	if (put_steps(db, segment->before, segment->befores, err) ||
	    put_steps(db, segment->after, segment->afters, err) ||
	    put_steps(db, &segment->alone.probe, segment->alone.has_probe, err))
		return -1;
	for (size_t i = 0; i < segment->statements; i++) {
		const struct doc_statement *statement = &segment->statement[i];

		if (put_step(db, &statement->step, err) ||
		    (statement->rewritten && put_original(plan, db, &statement->original, err)))
			return -1;
	}
	return 0;
}

static int put_objects(const struct plan *plan, struct db *db, struct err *err)
{
	const struct document *document = plan->document;
	struct digest digest;

	if (object_put(db, "query", document->shape_query.text, document->shape_query.text_len,
		       &digest, err))
		return -1;
	for (size_t p = 0; p < document->programs; p++)
		for (size_t s = 0; s < document->program[p].segments; s++)
			if (put_segment(plan, db, &document->program[p].segment[s], err))
				return -1;
	for (size_t c = 0; c < document->classes; c++)
		if (put_step(db, &document->class[c].read_state, err))
			return -1;
	return 0;
}

static int run_with(struct db *db, const char *sql, const void *first, size_t first_len,
		    const struct digest *second, struct err *err)
{
	struct db_query *query = NULL;
	int result = -1;

	if (db_prepare(db, sql, &query, err))
		goto out;
	db_bind_blob(query, 1, first, first_len);
	if (second)
		db_bind_blob(query, 2, second->bytes, sizeof second->bytes);
	result = db_run(query, err);
out:
	db_finish(query);
	return result;
}

static int replace_rows(const struct plan *plan, struct db *db, struct err *err)
{
	const struct conf *conf = plan->request->conf;
	struct digest configuration;

	if (db_exec(db, "DELETE FROM plan; DELETE FROM signature; DELETE FROM migration", err) ||
	    object_put(db, "configuration", conf->text, conf->text_len, &configuration, err) ||
	    run_with(db, sql_plan_set_configuration, configuration.bytes,
		     sizeof configuration.bytes, NULL, err) ||
	    db_exec(db, sql_plan_prune_objects, err))
		return -1;
	return source_store(plan->request->source, db, err);
}

static int fill_statement(const struct plan *plan, const struct plan_terms *terms,
			  const struct digest *document, size_t size, struct plan_statement *out,
			  struct err *err)
{
	const struct document *from = plan->document;

	memset(out, 0, sizeof *out);
	out->document = *document;
	out->document_size = (int64_t)size;
	snprintf(out->label, sizeof out->label, "%s", from->label);
	snprintf(out->system_identifier, sizeof out->system_identifier, "%s",
		 from->system_identifier);
	out->database_oid = from->database_oid;
	snprintf(out->database, sizeof out->database, "%s", from->database);
	out->server_major = from->server_version / 10000;
	snprintf(out->apply_host, sizeof out->apply_host, "%s", from->apply_host);
	out->schemas = (int64_t)from->schemas;
	out->statements = from->statement_count;
	out->destructive = from->destructive_count;
	out->created_us = terms->created_us;
	out->not_before_us = terms->not_before_us;
	out->expires_us = terms->expires_us;
	if (snprintf(out->ticket, sizeof out->ticket, "%s",
		     terms->ticket ? terms->ticket : "none") >= (int)sizeof out->ticket)
		return err_set(err, ERR_USAGE, "--ticket: longer than %zu bytes",
			       sizeof out->ticket - 1);
	return plan_statement_nonce(out->nonce, err);
}

int plan_store(struct plan *plan, struct db *edit, const struct plan_terms *terms,
	       struct plan_statement *statement, struct digest *id, struct err *err)
{
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES), text = BUF_INIT(STATEMENT_MAX_BYTES);
	struct digest document;
	int result = -1;

	if (replace_rows(plan, edit, err) || put_objects(plan, edit, err) ||
	    bundle_snapshot_digest(edit, &plan->document->snapshot, err) ||
	    compose_document(plan->document, edit, &json, err) ||
	    object_put(edit, "document", json.data, json.len, &document, err) ||
	    fill_statement(plan, terms, &document, json.len, statement, err) ||
	    plan_statement_write(statement, &text, err) || buf_check(&text, err) ||
	    run_with(edit, sql_plan_insert, text.data, text.len, &document, err))
		goto out;
	digest_of(text.data, text.len, id);
	result = 0;
out:
	buf_release(&json);
	buf_release(&text);
	return result;
}
