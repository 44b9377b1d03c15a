/*
 * The program of one class: each pending migration's statements judged in order against what the
 * class will hold by then, and handed on to be cut into segments.
 */
#include "making.h"

#include <string.h>
#include "alone.h"

struct building {
	struct making *making;
	struct planned *planned;
	struct err *err;
	struct judge judge;
	struct cutting cutting;
	/* of the migration at hand */
	const struct making_file *file;
	enum sql_scope file_scope;
	bool wrapped; /* BEGIN and COMMIT stand around the file */
	size_t pieces;
	struct cutting_piece *piece;
};

static bool is_tenant(const void *context, const char *schema)
{
	const struct class_set *set = context;
	int found = classes_find(set, schema);

	return found >= 0 && set->schema[found].scope != SCOPE_SHARED;
}

static bool on_path(const struct conf *conf, const char *schema)
{
	return conf_list_has(&conf->search_path, schema);
}

static int remark(struct building *b, bool problem, const char *rule, enum doc_severity severity,
		  const char *message, const char *hint, int line, const char *accepted)
{
	struct remark item = { .rule = rule,
			       .message = message,
			       .hint = hint,
			       .severity = severity,
			       .line = line,
			       .accepted = accepted };

	return cutting_remark(&b->cutting, problem, &item);
}

static struct cutting_piece *add_piece(struct building *b, const struct sql_statement *from)
{
	struct cutting_piece *piece = &b->piece[b->pieces++];

	memset(piece, 0, sizeof *piece);
	piece->from = from;
	return piece;
}

static int filter(struct building *b, const struct sql_statement *from, const char *why)
{
	struct cutting_piece *piece = add_piece(b, from);

	piece->filtered = arena_text(b->making->arena, why, b->err);
	return piece->filtered ? 0 : -1;
}

static int add_locks(struct building *b, const struct judge_verdict *verdict,
		     struct cutting_piece *piece)
{
	piece->lock = arena_array(b->making->arena, verdict->locks, sizeof *piece->lock, b->err);
	if (!piece->lock)
		return -1;
	for (size_t i = 0; i < verdict->locks; i++) {
		piece->lock[i] = arena_text(b->making->arena, verdict->lock[i], b->err);
		if (!piece->lock[i])
			return -1;
	}
	piece->locks = verdict->locks;
	return 0;
}

/*
 * Foreign keys to shared relations that this makes are known to later statements that drop their
 * holder.
 */
static int remember_keys(struct building *b, const struct sql_statement *from,
			 const struct judge_verdict *verdict)
{
	const char *table = NULL;

	for (size_t i = 0; i < from->objects; i++) {
		const struct sql_object *object = &from->object[i];

		if (judge_is_target(object) && object->kind != SQL_INDEX &&
		    world_space_of(object->kind) == WORLD_RELATION)
			table = object->name;
		if (object->use == SQL_FOREIGN_KEY && table)
			for (size_t l = 0; l < verdict->locks; l++)
				if (strcmp(verdict->lock[l], "*") != 0 &&
				    world_add_key(b->planned->world, table, verdict->lock[l],
						  b->err))
					return -1;
	}
	return 0;
}

/* A directive's probe is judged as a statement of its own; it must be one that reads. */
static int check_probe(struct building *b, const struct judge_case *item)
{
	const char *text = item->statement->directives.probe, *why = NULL;
	struct judge_case asked = { .file = item->file, .scope = SQL_SCOPE_ALL };
	struct judge_verdict verdict = { .hint = "write -- pgdocket: probe=SELECT ... (true: the "
						 "statement has been done)" };

	if (!text)
		return 0;
	if (alone_parse_probe(b->making->arena, text, &asked.statement, &why, b->err))
		return -1;
	if (asked.statement) {
		judge_statement(&b->judge, &asked, &verdict);
		if (verdict.result == JUDGE_RUN)
			return 0;
		why = verdict.message;
	}
	why = arena_format(b->making->arena, b->err, "its probe cannot be asked: %s", why);
	return why ? remark(b, true, "probe", DOC_DANGER, why, verdict.hint, item->statement->line,
			    NULL)
		   : -1;
}

static int run(struct building *b, const struct judge_case *item,
	       const struct judge_verdict *verdict)
{
	const struct sql_statement *from = item->statement;
	struct cutting_piece *piece = add_piece(b, from);

	piece->keep = from->directives.keep_session || (item->file && item->file->keep_session);
	piece->lane = verdict->locks ? LANE_SHARED : LANE_NORMAL;
	if (judge_is_alone(item))
		piece->lane = LANE_ALONE;
	for (size_t i = 0; i < verdict->notes; i++)
		if (remark(b, false, verdict->note[i].rule,
			   (enum doc_severity)verdict->note[i].severity, verdict->note[i].message,
			   verdict->note[i].hint, from->line,
			   judge_accepted(&b->judge, item, verdict->note[i].rule)))
			return -1;
	if (add_locks(b, verdict, piece) || remember_keys(b, from, verdict) ||
	    check_probe(b, item))
		return -1;
	if (piece->lane == LANE_ALONE && !b->planned->problems.count &&
	    alone_make(b->making->arena, from, item->file, &piece->alone, b->err))
		return -1;
	return world_apply(b->planned->world, from, b->err);
}

static int one_statement(struct building *b, const struct sql_statement *from)
{
	const struct sql_directives *file = &b->file->parsed->directives;
	bool whole_file = !from->directives.transaction_off && !b->wrapped &&
			  (file->transaction_off || b->file->part->transaction_off);
	struct judge_case item = { from, file,
				   from->directives.scope != SQL_SCOPE_NONE ? from->directives.scope
									    : b->file_scope,
				   whole_file || from->directives.transaction_off };
	struct judge_verdict verdict;

	judge_statement(&b->judge, &item, &verdict);
	if (verdict.result == JUDGE_FILTER)
		return filter(b, from, verdict.message);
	/* What the file asks for as a whole is said once. */
	whole_file = whole_file && !from->non_transactional &&
		     !strcmp(verdict.rule ? verdict.rule : "", "non-transactional");
	if (verdict.result == JUDGE_ERROR)
		return remark(b, true, verdict.rule, DOC_DANGER, verdict.message, verdict.hint,
			      whole_file ? b->file->parsed->statement[0].line : from->line, NULL);
	return run(b, &item, &verdict);
}

static bool plain_transaction_word(const struct sql_statement *statement, const char *kind)
{
	static const char *const words[] = { "isolation", "deferrable", "read", "chain", NULL };

	if (statement->category != SQL_TRANSACTION || !statement->transaction_kind ||
	    strcmp(statement->transaction_kind, kind) != 0)
		return false;
	for (size_t i = 0; words[i]; i++)
		if (statement_mentions(statement->text, words[i]))
			return false;
	return true;
}

/* BEGIN ... COMMIT around a whole file says what the plan does anyway. */
static bool is_wrapped(const struct sql_file *file)
{
	size_t last = file->statements - 1;

	if (file->statements < 2 || !plain_transaction_word(&file->statement[0], "BEGIN") ||
	    !plain_transaction_word(&file->statement[last], "COMMIT"))
		return false;
	for (size_t i = 1; i < last; i++)
		if (file->statement[i].category == SQL_TRANSACTION)
			return false;
	return true;
}

static int judge_migration(struct building *b)
{
	const struct sql_file *file = b->file->parsed;

	b->wrapped = is_wrapped(file);
	b->pieces = 0;
	b->piece = arena_array(b->making->arena, file->statements, sizeof *b->piece, b->err);
	if (!b->piece)
		return -1;
	if (file->statements == 0 && b->making->revert &&
	    remark(b, false, "empty-down", DOC_WARNING,
		   "its down part is empty: the history row goes, nothing else does", NULL, 1,
		   NULL))
		return -1;
	if (b->wrapped &&
	    remark(b, false, "folded-transaction", DOC_INFO,
		   "BEGIN and COMMIT around the file are folded into the plan's transaction", NULL,
		   file->statement[0].line, NULL))
		return -1;
	for (size_t i = 0; i < file->statements; i++) {
		bool folded = b->wrapped && (i == 0 || i == file->statements - 1);

		if (folded ? filter(b, &file->statement[i], "folded into the plan's transaction")
			   : one_statement(b, &file->statement[i]))
			return -1;
	}
	return 0;
}

/* The file of the migration at hand, or NULL in b->file->parsed with the problem said. */
static int open_file(struct building *b)
{
	struct making_file *file;

	if (parsed_get(b->making, b->cutting.migration, !b->making->revert, &file, b->err) ||
	    parsed_scope(b->making, b->cutting.migration, &b->file_scope, b->err))
		return -1;
	b->file = b->cutting.file = file;
	if (file->parsed && file->parsed->directives.scope != SQL_SCOPE_NONE)
		b->file_scope = file->parsed->directives.scope;
	if (file->failed)
		return remark(b, true, "file", DOC_DANGER, file->failed, file->failed_hint,
			      file->failed_line,
			      NULL);
	return 0;
}

static int migrations(struct building *b)
{
	const struct planned *planned = b->planned;

	for (size_t t = 0; t < planned->todos; t++) {
		b->cutting.migration = planned->todo[t];
		if (open_file(b))
			return -1;
		if (b->file->parsed &&
		    (judge_migration(b) ||
		     cutting_migration(&b->cutting, b->piece, b->pieces, b->wrapped)))
			return -1;
	}
	return cutting_end(&b->cutting);
}

static void make_judge(struct building *b)
{
	struct making *making = b->making;
	struct planned *planned = b->planned;

	b->judge.shared = planned->shared;
	b->judge.shared_schema = making->conf->shared_schema;
	b->judge.conf = making->conf;
	b->judge.world = planned->world;
	b->judge.other = planned->shared ? NULL : making->shared_world;
	b->judge.tenants = planned->shared ? making->tenant_world : NULL;
	b->judge.foreign = planned->shared ? &making->tenants_only : &making->shared_only;
	b->judge.falls_through = on_path(making->conf, making->conf->shared_schema);
	b->judge.history_table = planned->adapter->table;
	b->judge.is_tenant = is_tenant;
	b->judge.is_tenant_context = making->set;
}

int program_make(struct making *making, int index, struct err *err)
{
	struct building b = { .making = making, .planned = &making->planned[index], .err = err };

	make_judge(&b);
	return cutting_begin(&b.cutting, making, index, &b.judge, err) || migrations(&b) ? -1 : 0;
}
