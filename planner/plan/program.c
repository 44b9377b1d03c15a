/*
 * The program of one class: each pending migration's statements judged in order against what the
 * class will hold by then, cut into segments, with settings taken back and history rows behind
 * them.
 */
#include "making.h"

#include <stdio.h>
#include <string.h>

struct building {
	struct making *making;
	struct planned *planned;
	int index; /* of planned */
	struct err *err;
	struct judge judge;
	struct settings settings;
	struct doc_segment *segment;
	size_t segment_room, statement_room, migration_room;
	int number;    /* of the newest statement */
	bool *applied; /* as the segments so far leave it */
	/* of the migration at hand */
	int migration;
	const struct making_file *file;
	enum sql_scope file_scope;
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
			       .file = b->file->part ? b->file->part->file : NULL,
			       .accepted = accepted };

	return remarks_add(problem ? &b->planned->problems : &b->planned->findings,
			   b->making->arena, &item, b->index, b->err);
}

static struct doc_statement *add_statement(struct building *b, const char *text, const char *tag,
					   enum doc_does does, int line)
{
	struct doc_segment *segment = b->segment;
	struct doc_statement *statement;

	if (GROW(b->making->arena, segment->statement, segment->statements, b->statement_room,
		 b->err))
		return NULL;
	statement = &segment->statement[segment->statements];
	memset(statement, 0, sizeof *statement);
	if (steps_text(b->making->arena, text, tag, NULL, &statement->step, b->err))
		return NULL;
	segment->statements++;
	statement->number = ++b->number;
	statement->migration = (int)segment->migrations - 1;
	statement->line = line;
	statement->does = does;
	return statement;
}

static int filter(struct building *b, const struct sql_statement *from, const char *why)
{
	struct doc_statement *statement =
		add_statement(b, from->text, from->tag, DOC_FILTERED, from->line);

	if (!statement || !(statement->why = arena_text(b->making->arena, why, b->err)))
		return -1;
	return 0;
}

static int add_locks(struct building *b, const struct judge_verdict *verdict,
		     struct doc_statement *statement)
{
	statement->lock =
		arena_array(b->making->arena, verdict->locks, sizeof *statement->lock, b->err);
	if (!statement->lock)
		return -1;
	for (size_t i = 0; i < verdict->locks; i++) {
		statement->lock[i] = arena_text(b->making->arena, verdict->lock[i], b->err);
		if (!statement->lock[i])
			return -1;
	}
	statement->locks = verdict->locks;
	b->segment->shared_locks = b->segment->shared_locks || verdict->locks > 0;
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

static int remember_original(struct building *b, const struct sql_statement *from,
			     struct digest *digest)
{
	struct plan *plan = b->making->plan;

	digest_of(from->text, from->len, digest);
	if (GROW(b->making->arena, plan->original, plan->originals, plan->originals_room, b->err))
		return -1;
	plan->original[plan->originals].digest = *digest;
	plan->original[plan->originals].text = from->text;
	plan->original[plan->originals++].len = from->len;
	return 0;
}

static int run(struct building *b, const struct judge_case *item,
	       const struct judge_verdict *verdict)
{
	const struct sql_statement *from = item->statement;
	bool keep = from->directives.keep_session || (item->file && item->file->keep_session);
	const char *text = from->text, *why = NULL;
	struct doc_statement *statement;

	if (from->category == SQL_SET &&
	    settings_note(&b->settings, from, keep, &text, &why, b->err))
		return -1;
	statement = add_statement(b, text, from->tag, DOC_RUN, from->line);
	if (!statement)
		return -1;
	statement->destructive = from->destructive;
	if (why) {
		statement->why = why;
		statement->rewritten = true;
		if (remember_original(b, from, &statement->original))
			return -1;
	}
	for (size_t i = 0; i < verdict->notes; i++)
		if (remark(b, false, verdict->note[i].rule,
			   (enum doc_severity)verdict->note[i].severity, verdict->note[i].message,
			   verdict->note[i].hint, from->line,
			   judge_accepted(&b->judge, item, verdict->note[i].rule)))
			return -1;
	if (add_locks(b, verdict, statement) || remember_keys(b, from, verdict))
		return -1;
	return world_apply(b->planned->world, from, b->err);
}

static int one_statement(struct building *b, const struct sql_statement *from)
{
	const struct sql_directives *file = &b->file->parsed->directives;
	struct judge_case item = { from, file,
				   from->directives.scope != SQL_SCOPE_NONE ? from->directives.scope
									    : b->file_scope,
				   from->directives.transaction_off || file->transaction_off ||
					   b->file->part->transaction_off };
	struct judge_verdict verdict;
	bool whole_file = item.transaction_off && !from->directives.transaction_off;

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

static int restore_settings(struct building *b)
{
	int line = b->file->parsed->statements
			   ? b->file->parsed->statement[b->file->parsed->statements - 1].end_line
			   : 1;

	for (size_t i = 0; i < b->settings.names; i++) {
		const char *text, *tag;
		struct doc_statement *statement;

		if (settings_restore(&b->settings, i, &text, &tag, b->err))
			return -1;
		statement = add_statement(b, text, tag, DOC_SETTING, line);
		if (!statement)
			return -1;
		statement->why =
			arena_format(b->making->arena, b->err, "%s as it was before the migration",
				     b->settings.name[i]);
		if (!statement->why)
			return -1;
	}
	b->settings.names = 0;
	return 0;
}

static int repeat_settings(struct building *b)
{
	for (size_t i = 0; i < b->settings.kept; i++) {
		const struct sql_statement *from = b->settings.keep[i];
		struct doc_statement *statement;
		const char *text = from->text;

		if (!from->set_local && statement_set_local(b->making->arena, from, &text, b->err))
			return -1;
		statement = add_statement(b, text, "SET", DOC_SETTING, 1);
		if (!statement)
			return -1;
		statement->why = "repeated, as keep-session says";
	}
	return 0;
}

static int migration_statements(struct building *b)
{
	const struct sql_file *file = b->file->parsed;
	bool wrapped = is_wrapped(file);

	if (file->statements == 0 && b->making->revert &&
	    remark(b, false, "empty-down", DOC_WARNING,
		   "its down part is empty: the history row goes, nothing else does", NULL, 1,
		   NULL))
		return -1;
	if (wrapped &&
	    remark(b, false, "folded-transaction", DOC_INFO,
		   "BEGIN and COMMIT around the file are folded into the plan's transaction", NULL,
		   file->statement[0].line, NULL))
		return -1;
	for (size_t i = 0; i < file->statements; i++) {
		bool folded = wrapped && (i == 0 || i == file->statements - 1);

		if (folded ? filter(b, &file->statement[i], "folded into the plan's transaction")
			   : one_statement(b, &file->statement[i]))
			return -1;
	}
	return restore_settings(b);
}

static int add_migration(struct building *b)
{
	const struct source_migration *from = &b->making->source->migration[b->migration];
	struct doc_migration *migration;

	if (GROW(b->making->arena, b->segment->migration, b->segment->migrations, b->migration_room,
		 b->err))
		return -1;
	migration = &b->segment->migration[b->segment->migrations++];
	migration->version = from->version;
	migration->name = from->name;
	migration->file = b->file->part->file;
	migration->up = !b->making->revert;
	migration->text = b->file->digest;
	return 0;
}

static int begin_segment(struct building *b)
{
	struct doc_program *program = b->planned->program;
	struct making *making = b->making;
	const struct planned *planned = b->planned;
	bool first = program->segments == 0,
	     none = first && (!planned->class || !planned->class->state.adapter);
	struct digest guarded;

	if (GROW(making->arena, program->segment, program->segments, b->segment_room, b->err))
		return -1;
	b->segment = &program->segment[program->segments++];
	memset(b->segment, 0, sizeof *b->segment);
	b->statement_room = b->migration_room = 0;
	b->segment->number = (int)program->segments;
	b->segment->transactional = true;
	b->segment->create_schema = first && !planned->class;
	b->segment->state_before = first ? planned->state_before : b->segment[-1].state_after;
	guarded = b->segment->state_before;
	if (none && steps_state(making, planned, b->applied, &guarded, b->err))
		return -1;
	return steps_before(making, planned, none, &guarded, b->segment, b->err);
}

static void take_over(struct building *b, bool *after)
{
	bool single = b->planned->adapter->single_row;
	int count = (int)b->making->source->migrations;

	after[b->migration] = !b->making->revert;
	for (int i = 0; single && i < count; i++)
		if (b->making->revert ? i > b->migration : i < b->migration)
			after[i] = !b->making->revert;
}

static int end_segment(struct building *b, const bool *after)
{
	if (steps_state(b->making, b->planned, after, &b->segment->state_after, b->err) ||
	    steps_after(b->making, b->planned, b->applied, after, &b->segment->state_after,
			b->segment, b->err))
		return -1;
	memcpy(b->applied, after, b->making->source->migrations * sizeof *after);
	return 0;
}

/* The file of the migration at hand, or NULL in b->file->parsed with the problem said. */
static int open_file(struct building *b)
{
	struct making_file *file;

	if (parsed_get(b->making, b->migration, !b->making->revert, &file, b->err) ||
	    parsed_scope(b->making, b->migration, &b->file_scope, b->err))
		return -1;
	b->file = file;
	if (file->parsed && file->parsed->directives.scope != SQL_SCOPE_NONE)
		b->file_scope = file->parsed->directives.scope;
	if (file->failed)
		return remark(b, true, "file", DOC_DANGER, file->failed, file->failed_hint,
			      file->failed_line,
			      NULL);
	return 0;
}

static int migrations(struct building *b, bool *after)
{
	const struct planned *planned = b->planned;
	bool each = b->making->conf->per_migration;

	for (size_t t = 0; t < planned->todos; t++) {
		b->migration = planned->todo[t];
		if (open_file(b))
			return -1;
		if (!b->file->parsed)
			continue;
		if (t == 0 || each || !b->segment) {
			bool later = b->segment != NULL;

			if (begin_segment(b) || add_migration(b) || (later && repeat_settings(b)))
				return -1;
		} else if (add_migration(b)) {
			return -1;
		}
		if (migration_statements(b))
			return -1;
		take_over(b, after);
		if ((each || t + 1 == planned->todos) && end_segment(b, after))
			return -1;
	}
	return 0;
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
	struct planned *planned = &making->planned[index];
	struct building b = { .making = making, .planned = planned, .index = index, .err = err };
	size_t count = making->source->migrations;
	bool *after = arena_array(making->arena, count, sizeof *after, err);

	b.applied = arena_array(making->arena, count, sizeof *b.applied, err);
	planned->program = arena_alloc(making->arena, sizeof *planned->program, err);
	if (!after || !b.applied || !planned->program)
		return -1;
	memcpy(after, planned->applied, count * sizeof *after);
	memcpy(b.applied, planned->applied, count * sizeof *after);
	b.settings.arena = making->arena;
	b.settings.conf = making->conf;
	make_judge(&b);
	if (planned->class)
		planned->state_before = planned->class->state_digest;
	else
		digest_of("none\n", 5, &planned->state_before);
	planned->program->revert = making->revert;
	if (migrations(&b, after))
		return -1;
	if (planned->program->segments)
		planned->state_after =
			planned->program->segment[planned->program->segments - 1].state_after;
	return 0;
}
