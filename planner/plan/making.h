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
	size_t names, names_room;
	const char **name; /* changed by the migration at hand, to be restored behind it */
	size_t kept, kept_room;
	const struct sql_statement **keep; /* with keep-session: repeated in later segments */
};
extern const struct doc_pin settings_pins[];
extern const size_t settings_pin_count;
/* Note a SET that runs; *text is what to send, *why set when that is not what was written. */
int settings_note(struct settings *settings, const struct sql_statement *statement, bool keep,
		  const char **text, const char **why, struct err *err) MUST_CHECK;
/* The text that takes setting number n of the migration back. */
int settings_restore(struct settings *settings, size_t n, const char **text, const char **tag,
		     struct err *err) MUST_CHECK;

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
