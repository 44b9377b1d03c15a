/*
 * Cuts a program into segments: what commits together (PROTOCOL.md, Segments). A migration's judged
 * statements are laid out in order, a new segment beginning where one must: before and behind a
 * statement that is sent alone, where the lane changes, where an enum's new value may be used. No
 * statement changes its place, and nothing is judged here.
 */
#include "making.h"

#include <string.h>

int cutting_begin(struct cutting *c, struct making *making, int index, const struct judge *judge,
		  struct err *err)
{
	struct planned *planned = &making->planned[index];
	size_t count = making->source->migrations;

	memset(c, 0, sizeof *c);
	c->making = making;
	c->planned = planned;
	c->judge = judge;
	c->index = index;
	c->err = err;
	c->settings.arena = making->arena;
	c->settings.conf = making->conf;
	c->applied = arena_array(making->arena, count, sizeof *c->applied, err);
	c->after = arena_array(making->arena, count, sizeof *c->after, err);
	planned->program = arena_alloc(making->arena, sizeof *planned->program, err);
	if (!c->applied || !c->after || !planned->program)
		return -1;
	memcpy(c->applied, planned->applied, count * sizeof *c->applied);
	memcpy(c->after, planned->applied, count * sizeof *c->after);
	planned->program->revert = making->revert;
	if (planned->class)
		planned->state_before = planned->class->state_digest;
	else
		digest_of("none\n", 5, &planned->state_before);
	return 0;
}

int cutting_remark(struct cutting *c, bool problem, const struct remark *remark)
{
	struct remark item = *remark;

	if (c->file && c->file->part)
		item.file = c->file->part->file;
	return remarks_add(problem ? &c->planned->problems : &c->planned->findings,
			   c->making->arena, &item, c->index, c->err);
}

/* --- segments --- */

static int begin_segment(struct cutting *c, enum cutting_lane lane, bool none)
{
	struct doc_program *program = c->planned->program;
	bool first = program->segments == 0;
	struct digest guarded;

	if (GROW(c->making->arena, program->segment, program->segments, c->segment_room, c->err))
		return -1;
	c->segment = &program->segment[program->segments++];
	memset(c->segment, 0, sizeof *c->segment);
	c->statement_room = c->migration_room = c->labels = 0;
	c->lane = lane;
	c->listed = false;
	c->segment->number = (int)program->segments;
	c->segment->transactional = lane != LANE_ALONE;
	c->segment->shared_locks = lane == LANE_SHARED;
	c->segment->create_schema = first && !c->planned->class;
	c->segment->state_before = first ? c->planned->state_before : c->segment[-1].state_after;
	guarded = c->segment->state_before;
	if (none && steps_state(c->making, c->planned, c->applied, &guarded, c->err))
		return -1;
	return steps_before(c->making, c->planned, none, &guarded, c->segment, c->err);
}

/* History rows are written for the migrations that end in it. */
static int end_segment(struct cutting *c)
{
	struct doc_segment *segment = c->segment;

	if (!segment)
		return 0;
	c->segment = NULL;
	if (steps_state(c->making, c->planned, c->after, &segment->state_after, c->err) ||
	    steps_after(c->making, c->planned, c->applied, c->after, &segment->state_after, segment,
			c->err))
		return -1;
	memcpy(c->applied, c->after, c->making->source->migrations * sizeof *c->after);
	return 0;
}

/* What is sent alone makes no schema and no history table: a segment of nothing else does. */
static int open_segment(struct cutting *c, enum cutting_lane lane)
{
	bool none = c->planned->program->segments == 0 &&
		    (!c->planned->class || !c->planned->class->state.adapter);

	if (none && lane == LANE_ALONE) {
		if (begin_segment(c, LANE_NORMAL, true) || end_segment(c))
			return -1;
		none = false;
	}
	return begin_segment(c, lane, none);
}

static int list_migration(struct cutting *c)
{
	const struct source_migration *from = &c->making->source->migration[c->migration];
	struct doc_migration *migration;

	if (GROW(c->making->arena, c->segment->migration, c->segment->migrations, c->migration_room,
		 c->err))
		return -1;
	migration = &c->segment->migration[c->segment->migrations++];
	migration->version = from->version;
	migration->name = from->name;
	migration->file = c->file->part->file;
	migration->up = !c->making->revert;
	migration->text = c->file->digest;
	c->listed = true;
	c->parts++;
	return 0;
}

/* --- statements --- */

static struct doc_statement *add_statement(struct cutting *c, const char *text, const char *tag,
					   enum doc_does does, int line)
{
	struct doc_segment *segment = c->segment;
	struct doc_statement *statement;

	if (GROW(c->making->arena, segment->statement, segment->statements, c->statement_room,
		 c->err))
		return NULL;
	statement = &segment->statement[segment->statements];
	memset(statement, 0, sizeof *statement);
	if (steps_text(c->making->arena, text, tag, NULL, &statement->step, c->err))
		return NULL;
	segment->statements++;
	statement->number = ++c->number;
	statement->migration = (int)segment->migrations - 1;
	statement->line = line;
	statement->does = does;
	return statement;
}

static int add_filtered(struct cutting *c, const struct sql_statement *from, const char *why)
{
	struct doc_statement *statement =
		add_statement(c, from->text, from->tag, DOC_FILTERED, from->line);

	if (!statement)
		return -1;
	statement->why = why;
	return 0;
}

static int remember_original(struct cutting *c, const struct sql_statement *from,
			     struct digest *digest)
{
	struct plan *plan = c->making->plan;

	digest_of(from->text, from->len, digest);
	if (GROW(c->making->arena, plan->original, plan->originals, plan->originals_room, c->err))
		return -1;
	plan->original[plan->originals].digest = *digest;
	plan->original[plan->originals].text = from->text;
	plan->original[plan->originals++].len = from->len;
	return 0;
}

static int add_setting(struct cutting *c, const struct cutting_piece *piece)
{
	const struct sql_statement *from = piece->from;
	struct doc_statement *statement;
	const char *text, *why;

	if (settings_note(&c->settings, from, piece->keep, &text, &why, c->err))
		return -1;
	if (c->lane == LANE_ALONE)
		return add_filtered(c, from, "not sent: it could not be in force for what is sent "
					     "alone; repeated where the migration goes on");
	statement = add_statement(c, text, from->tag, DOC_RUN, from->line);
	if (!statement)
		return -1;
	statement->why = why;
	statement->rewritten = why != NULL;
	return why ? remember_original(c, from, &statement->original) : 0;
}

/* A session's settings are the plan's, and nothing is sent in front of what is sent alone. */
static int check_settings(struct cutting *c, const struct cutting_piece *piece)
{
	for (size_t i = 0; i < c->settings.count; i++) {
		const char *parameter = settings_parameter(&c->settings.item[i]);
		bool pace = parameter && settings_is_pace(parameter);
		struct remark remark = { .rule = "session-set",
					 .severity = pace ? DOC_WARNING : DOC_DANGER,
					 .line = piece->from->line };

		if (!parameter)
			continue;
		remark.message = arena_format(c->making->arena, c->err,
					      "%s is set in line %d, but not in force for what is "
					      "sent alone: %s",
					      parameter, c->settings.item[i].from->line,
					      piece->from->kind);
		remark.hint = "set it for the role or the database (ALTER ROLE ... SET), or take "
			      "it out of the migration";
		if (!remark.message || cutting_remark(c, !pace, &remark))
			return -1;
	}
	return 0;
}

static int add_piece(struct cutting *c, const struct cutting_piece *piece)
{
	const struct sql_statement *from = piece->from;
	struct doc_statement *statement;

	if (piece->filtered)
		return add_filtered(c, from, piece->filtered);
	if (from->category == SQL_SET)
		return add_setting(c, piece);
	if (piece->lane == LANE_ALONE && check_settings(c, piece))
		return -1;
	statement = add_statement(c, from->text, from->tag, DOC_RUN, from->line);
	if (!statement)
		return -1;
	statement->destructive = from->destructive;
	statement->locks = piece->locks;
	statement->lock = piece->lock;
	if (piece->lane == LANE_ALONE)
		c->segment->alone = piece->alone;
	if (!from->new_label)
		return 0;
	if (GROW(c->making->arena, c->label, c->labels, c->label_room, c->err))
		return -1;
	c->label[c->labels++] = from;
	return 0;
}

static int restore_settings(struct cutting *c)
{
	const struct sql_file *file = c->file->parsed;
	int line = file->statements ? file->statement[file->statements - 1].end_line : 1;

	for (size_t i = 0; c->lane != LANE_ALONE && i < c->settings.count; i++) {
		const char *text, *tag;
		struct doc_statement *statement;

		if (settings_restore(&c->settings, &c->settings.item[i], &text, &tag, c->err))
			return -1;
		if (!text)
			continue;
		statement = add_statement(c, text, tag, DOC_SETTING, line);
		if (!statement)
			return -1;
		statement->why =
			arena_format(c->making->arena, c->err, "%s as it was before the migration",
				     c->settings.item[i].from->setting);
		if (!statement->why)
			return -1;
	}
	settings_forget(&c->settings);
	return 0;
}

static int repeat_settings(struct cutting *c)
{
	for (size_t i = 0; c->lane != LANE_ALONE && i < c->settings.count; i++) {
		const struct setting *setting = &c->settings.item[i];
		struct doc_statement *statement;
		const char *text = setting->from->text;

		if (!setting->from->set_local &&
		    statement_set_local(c->making->arena, setting->from, &text, c->err))
			return -1;
		statement = add_statement(c, text, setting->from->tag, DOC_SETTING,
					  setting->keep ? 1 : setting->from->line);
		if (!statement)
			return -1;
		statement->why = setting->keep ? "repeated, as keep-session says"
					       : "repeated behind the cut";
	}
	return 0;
}

/* --- where to cut --- */

static bool calls(const struct sql_statement *from)
{
	bool runs = from->category == SQL_SELECT || from->category == SQL_DML ||
		    (from->tag && (!strncmp(from->tag, "SELECT", 6) ||
				   !strcmp(from->tag, "ALTER TABLE")));

	for (size_t i = 0; runs && i < from->objects; i++)
		if (from->object[i].kind == SQL_FUNCTION && from->object[i].use == SQL_REFERENCE)
			return true;
	return false;
}

/* A value cannot be used in the transaction that added it (55P04). */
static bool may_use_label(const struct cutting *c, const struct sql_statement *from)
{
	bool unseen = from->category == SQL_DO || from->category == SQL_OPAQUE ||
		      from->category == SQL_OTHER || calls(from);

	for (size_t i = 0; !from->new_label && i < c->labels; i++) {
		const struct sql_statement *added = c->label[i];

		/* A text writes these in more than one way. */
		if (unseen || strpbrk(added->new_label, "'\\") ||
		    statement_mentions(from->text, added->new_label) ||
		    (added->objects && added->object[0].name &&
		     statement_mentions(from->text, added->object[0].name)))
			return true;
	}
	return false;
}

static int say_cause(struct cutting *c, const struct sql_statement *before,
		     const struct cutting_piece *piece)
{
	const struct sql_statement *from = piece->from;
	const char *why = "may use an enum's value that is added before, which must be committed "
			  "first";

	if (piece->lane == LANE_ALONE || c->lane == LANE_ALONE)
		why = "is sent alone";
	else if (piece->lane != c->lane)
		why = "locks shared tables, in a lane of its own";
	if (piece->lane != LANE_ALONE &&
	    (c->lane == LANE_ALONE || (c->lane == LANE_SHARED && piece->lane == LANE_NORMAL)))
		from = before;
	c->cause_from = from;
	c->cause = arena_format(c->making->arena, c->err, "%s in line %d %s", from->kind,
				from->line, why);
	return c->cause ? 0 : -1;
}

/*
 * The segment for what comes next; piece NULL: for a migration that sends nothing. before: the
 * statement of the migration that was sent last; NULL: none.
 */
static int settle(struct cutting *c, const struct sql_statement *before,
		  const struct cutting_piece *piece)
{
	enum cutting_lane lane = piece ? piece->lane : LANE_NORMAL;

	if (!piece && c->segment && c->lane == LANE_SHARED)
		lane = LANE_SHARED;
	if (c->segment && (lane == LANE_ALONE || lane != c->lane ||
			   (piece && may_use_label(c, piece->from)))) {
		if (before && !c->cause && say_cause(c, before, piece))
			return -1;
		if (end_segment(c))
			return -1;
	}
	if (!c->segment)
		return open_segment(c, lane) || list_migration(c) || repeat_settings(c) ? -1 : 0;
	return c->listed ? 0 : list_migration(c);
}

static bool is_anchor(const struct cutting_piece *piece)
{
	return !piece->filtered && piece->from->category != SQL_SET;
}

/*
 * Statements that are sent decide on segments. What is filtered, and settings, go where the next
 * one of those goes, or with the last one.
 */
static int lay_out(struct cutting *c, const struct cutting_piece *piece, size_t count)
{
	const struct sql_statement *before = NULL;
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		size_t anchor = i;

		while (i == next && anchor < count && !is_anchor(&piece[anchor]))
			anchor++;
		if (i == next && anchor < count) {
			if (settle(c, before, &piece[anchor]))
				return -1;
			before = piece[anchor].from;
		}
		if (i == next)
			next = anchor < count ? anchor + 1 : count;
		if ((!c->segment || !c->listed) && settle(c, NULL, NULL))
			return -1;
		if (add_piece(c, &piece[i]))
			return -1;
	}
	return c->segment && c->listed ? 0 : settle(c, NULL, NULL);
}

/* --- a migration --- */

/* What it does ends with its transaction. */
static bool needs_one(const struct sql_statement *from)
{
	if (from->category == SQL_LOCK ||
	    (from->tag && (!strcmp(from->tag, "DECLARE CURSOR") ||
			   !strcmp(from->tag, "SET CONSTRAINTS"))))
		return true;
	for (size_t i = 0; i < from->objects; i++)
		if (from->object[i].use == SQL_CREATE && from->object[i].schema &&
		    !strcmp(from->object[i].schema, "pg_temp"))
			return true;
	return false;
}

static const char *accepted(const struct cutting *c, const struct sql_statement *from)
{
	struct judge_case item = { .statement = from, .file = &c->file->parsed->directives };

	return judge_accepted(c->judge, &item, "cut");
}

static int refuse_alone(struct cutting *c, const struct sql_statement *from,
			const struct sql_statement *one)
{
	struct remark remark = { .rule = "cut",
				 .severity = DOC_DANGER,
				 .line = from->line,
				 .hint = "take BEGIN and COMMIT out of the file, or give the "
					 "statement a migration of its own" };

	if (one) {
		remark.message = arena_format(c->making->arena, c->err,
					      "%s is sent alone, and what %s in line %d does ends "
					      "with its transaction",
					      from->kind, one->kind, one->line);
		remark.hint = "give one of them a migration of its own, or accept it: "
			      "-- pgdocket: accept=cut REASON";
	} else {
		remark.message = arena_format(c->making->arena, c->err,
					      "%s is sent alone, and the file puts BEGIN and "
					      "COMMIT around it",
					      from->kind);
	}
	return remark.message ? cutting_remark(c, true, &remark) : -1;
}

/*
 * A migration that says itself what is one transaction, or holds what needs one, is not cut for the
 * shared lane: it goes there whole.
 */
static int choose_lanes(struct cutting *c, struct cutting_piece *piece, size_t count, bool wrapped)
{
	const struct sql_statement *one = NULL;
	bool shared = false;

	for (size_t i = 0; i < count; i++) {
		shared = shared || piece[i].lane == LANE_SHARED;
		if (!one && !piece[i].filtered && needs_one(piece[i].from))
			one = piece[i].from;
	}
	for (size_t i = 0; i < count; i++) {
		if (piece[i].filtered)
			continue;
		if (piece[i].lane == LANE_ALONE &&
		    (wrapped || (one && !accepted(c, piece[i].from)))) {
			if (refuse_alone(c, piece[i].from, wrapped ? NULL : one))
				return -1;
		} else if (piece[i].lane == LANE_NORMAL && shared && (wrapped || one)) {
			piece[i].lane = LANE_SHARED;
		}
	}
	return 0;
}

static int say_cut(struct cutting *c)
{
	struct remark remark = { .rule = "cut",
				 .severity = DOC_WARNING,
				 .hint = "a run that stops in between leaves the migration half "
					 "done until it is run again; a migration of its own for "
					 "that statement avoids it" };

	if (c->parts < 2 || !c->cause)
		return 0;
	remark.line = c->cause_from->line;
	remark.accepted = accepted(c, c->cause_from);
	remark.message = arena_format(c->making->arena, c->err,
				      "is applied in %zu parts, each committed by itself: %s",
				      c->parts, c->cause);
	return remark.message ? cutting_remark(c, false, &remark) : -1;
}

static void take_over(struct cutting *c)
{
	bool single = c->planned->adapter->single_row;
	int count = (int)c->making->source->migrations;

	c->after[c->migration] = !c->making->revert;
	for (int i = 0; single && i < count; i++)
		if (c->making->revert ? i > c->migration : i < c->migration)
			c->after[i] = !c->making->revert;
}

int cutting_migration(struct cutting *c, struct cutting_piece *piece, size_t count, bool wrapped)
{
	c->listed = false;
	c->parts = 0;
	c->cause = NULL;
	if (choose_lanes(c, piece, count, wrapped) || lay_out(c, piece, count) ||
	    restore_settings(c) || say_cut(c))
		return -1;
	take_over(c);
	return c->making->conf->per_migration ? end_segment(c) : 0;
}

int cutting_end(struct cutting *c)
{
	struct doc_program *program = c->planned->program;
	struct remark remark = { .rule = "cut", .severity = DOC_INFO };

	if (end_segment(c))
		return -1;
	if (!program->segments)
		return 0;
	c->planned->state_after = program->segment[program->segments - 1].state_after;
	if (c->making->conf->per_migration || program->segments == 1)
		return 0;
	c->file = NULL;
	remark.message = arena_format(c->making->arena, c->err,
				      "what is pending is applied in %zu parts, each committed by "
				      "itself, although transaction is schema",
				      program->segments);
	return remark.message ? cutting_remark(c, false, &remark) : -1;
}
