/*
 * A plan in the making, as the steps of planning hand it on: selection, pending migrations,
 * programs, the document.
 */
#ifndef PGDOCKET_MAKING_H
#define PGDOCKET_MAKING_H

#include "judge.h"
#include "owner.h"
#include "plan.h"
#include "world.h"

/* A growing array in an arena: the items pointer of any type, with its count and room. */
#define GROW(arena, items, count, room, err) \
	grow_items(arena, (void **)&(items), count, &(room), sizeof *(items), err)
int grow_items(struct arena *arena, void **items, size_t count, size_t *room, size_t size,
	       struct err *err) MUST_CHECK;

/* A finding or a problem, with the classes that it holds for. */
struct remark {
	const char *rule, *message, *hint, *file, *accepted;
	enum doc_severity severity;
	int line;
	bool whole; /* about the whole plan, no class */
	size_t classes, room;
	int *class; /* indexes into making.planned */
};

struct remarks {
	size_t count, room;
	struct remark *item;
};

/*
 * Texts are copied; the same remark of another class is one remark. planned -1: about the whole
 * plan.
 */
int remarks_add(struct remarks *remarks, struct arena *arena, const struct remark *remark,
		int planned, struct err *err) MUST_CHECK;
int remarks_merge(struct remarks *into, struct arena *arena, const struct remarks *from,
		  struct err *err) MUST_CHECK;

/* One direction of a migration, parsed when first asked for. */
struct making_file {
	const struct source_part *part;
	struct sql_file *parsed; /* NULL: not yet, or it failed */
	const char *failed, *failed_hint;
	int failed_line; /* 0: not of one line */
	struct digest digest; /* of the whole file */
};

/* A class, or the schemas that are to be made, on their way to a doc_class. */
struct planned {
	const struct classes_class *class; /* NULL: schemas to be made */
	bool shared;
	size_t schemas, room;
	int *schema; /* indexes into set->schema, by name */
	const struct history_adapter *adapter;
	bool *applied, *after; /* per migration */
	size_t todos;
	int *todo; /* migrations in the order in which they run */
	struct world *world;
	struct remarks findings, problems;
	struct doc_program *program;
	struct digest state_before, state_after;
	bool unfit;
};

struct making {
	struct arena *arena;
	const struct plan_request *request;
	const struct conf *conf;
	const struct source *source;
	const struct class_set *set;
	struct plan *plan;
	struct making_file *up, *down; /* per migration */
	struct owner shared_only, tenants_only;
	struct world *shared_world; /* what tenants see behind them; NULL: no shared schema */
	struct world *tenant_world; /* of the first tenants' class; NULL: none */
	bool revert;
	size_t planneds, planned_room;
	struct planned *planned; /* shared first, then as in set; schemas to be made last */
	size_t left_outs, left_out_room;
	struct doc_left_out *left_out;
	struct remarks findings, problems;
};

/* select.c: which schemas are planned, grouped; the others are left out with a reason. */
int select_schemas(struct making *making, struct err *err) MUST_CHECK;
int select_leave_out(struct making *making, const char *name, const char *why,
		     struct err *err) MUST_CHECK;

/* pending.c: what each class has to do, in order; state and policies checked. */
int pending_find(struct making *making, struct err *err) MUST_CHECK;

/* parsed.c: migration files, each parsed once. */
int parsed_prepare(struct making *making, struct err *err) MUST_CHECK;
int parsed_get(struct making *making, int migration, bool up, struct making_file **out,
	       struct err *err) MUST_CHECK;
/* The scope that a migration's up part claims in its first lines. */
int parsed_scope(struct making *making, int migration, enum sql_scope *out,
		 struct err *err) MUST_CHECK;

/* program.c: the statements of one class. */
int program_make(struct making *making, int planned, struct err *err) MUST_CHECK;
/* steps.c: one thing that is sent. */
int steps_text(struct arena *arena, const char *text, const char *tag, const char *answer,
	       struct doc_step *out, struct err *err) MUST_CHECK;
int steps_before(struct making *making, const struct planned *planned, bool create_history,
		 const struct digest *state, struct doc_segment *segment,
		 struct err *err) MUST_CHECK;
int steps_after(struct making *making, const struct planned *planned, const bool *from,
		const bool *to, const struct digest *state, struct doc_segment *segment,
		struct err *err) MUST_CHECK;
int steps_state(struct making *making, const struct planned *planned, const bool *applied,
		struct digest *out, struct err *err) MUST_CHECK;

/* settings.c: SET in migrations. */
struct settings {
	struct arena *arena;
	const struct conf *conf;
	size_t count, room;
	struct setting {
		const struct sql_statement *from;
		bool keep; /* keep-session: stays in force behind its migration */
	} *item; /* what is in force, each setting once, in the order in which it was set */
};
extern const struct doc_pin settings_pins[];
extern const size_t settings_pin_count;
/* Note a SET that runs; *text is what to send, *why set when that is not what was written. */
int settings_note(struct settings *settings, const struct sql_statement *statement, bool keep,
		  const char **text, const char **why, struct err *err) MUST_CHECK;
/* The text that takes a setting back; NULL when there is nothing to take back. */
int settings_restore(struct settings *settings, const struct setting *setting, const char **text,
		     const char **tag, struct err *err) MUST_CHECK;
/* Behind a migration: what it did not keep is in force no more. */
void settings_forget(struct settings *settings);
/* What a statement that is sent alone lacks: the parameter's name; NULL: this sets none. */
const char *settings_parameter(const struct setting *setting);
/* It changes how long or how fast a statement runs, not what it does. */
bool settings_is_pace(const char *parameter);

/* cutting.c: a migration's judged statements, laid out in segments. */
enum cutting_lane { LANE_NORMAL, LANE_SHARED, LANE_ALONE };
struct cutting_piece {
	const struct sql_statement *from;
	const char *filtered; /* why; NULL: it runs */
	bool keep;            /* keep-session holds for it */
	enum cutting_lane lane;
	struct doc_alone alone; /* of LANE_ALONE */
	size_t locks;
	const char **lock;
};
struct cutting {
	struct making *making;
	struct planned *planned;
	const struct judge *judge;
	int index; /* of planned */
	struct err *err;
	struct settings settings;
	struct doc_segment *segment; /* the open one; NULL: none */
	enum cutting_lane lane;      /* of segment */
	size_t segment_room, statement_room, migration_room, label_room;
	int number;                         /* of the newest statement */
	bool *applied;                      /* as the closed segments leave it */
	bool *after;                        /* and as the migrations laid out so far do */
	size_t labels;                      /* of the open segment */
	const struct sql_statement **label; /* ALTER TYPE ADD VALUE, not to be used before commit */
	/* of the migration at hand */
	int migration;
	const struct making_file *file;
	bool listed; /* the open segment names it */
	size_t parts;
	const char *cause;                      /* of its first cut */
	const struct sql_statement *cause_from; /* the statement that asks for it */
};
int cutting_begin(struct cutting *cutting, struct making *making, int planned,
		  const struct judge *judge, struct err *err) MUST_CHECK;
/* The migration at hand; wrapped: BEGIN and COMMIT stand around the file. */
int cutting_migration(struct cutting *cutting, struct cutting_piece *piece, size_t count,
		      bool wrapped) MUST_CHECK;
int cutting_end(struct cutting *cutting) MUST_CHECK;
/* A finding or a problem of the migration at hand. */
int cutting_remark(struct cutting *cutting, bool problem, const struct remark *remark) MUST_CHECK;

/* snapshot_remarks.c: drift, strays, orphans and the rest that the snapshot itself has to say. */
int snapshot_remarks(struct making *making, struct err *err) MUST_CHECK;

/* assemble.c: the document's graph from what was planned. */
int assemble_document(struct making *making, struct err *err) MUST_CHECK;

/* compose.c: the document's bytes. */
int compose_program(const struct doc_program *program, bool numbered, struct buf *out,
		    struct err *err) MUST_CHECK;
int compose_document(const struct document *document, struct db *objects, struct buf *out,
		     struct err *err) MUST_CHECK;

#endif
