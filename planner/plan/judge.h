/*
 * For whom a statement runs: the rules that filter it, refuse it, or say what a reviewer must see.
 * One statement of one migration is judged against one class at a time, in the order in which the
 * statements would run.
 */
#ifndef PGDOCKET_JUDGE_H
#define PGDOCKET_JUDGE_H

#include "conf.h"
#include "owner.h"
#include "statement.h"
#include "world.h"

#define JUDGE_NOTES_MAX 12
#define JUDGE_LOCKS_MAX 8

/* What stays the same for a class. */
struct judge {
	bool shared; /* the class is the shared schema */
	const char *shared_schema;
	const struct conf *conf;
	const struct world *world;   /* the class as it is just before the statement */
	const struct world *other;   /* tenants: the shared schema as it will be then; NULL: none */
	const struct world *tenants; /* shared: what most tenants hold; may be NULL */
	const struct owner *foreign; /* tables that do not exist on this side */
	bool falls_through;          /* tenants: the shared schema is in the search_path */
	const char *history_table;   /* NULL: none */
	bool (*is_tenant)(const void *context, const char *schema);
	const void *is_tenant_context;
};

/* A statement with the directives that hold for it: its own before its file's. */
struct judge_case {
	const struct sql_statement *statement;
	const struct sql_directives *file;
	enum sql_scope scope; /* NONE: nobody said */
	bool transaction_off; /* said by the file, its layout, or the statement */
};

enum judge_severity { JUDGE_INFO, JUDGE_WARNING, JUDGE_DANGER };

struct judge_note {
	const char *rule;
	enum judge_severity severity;
	char message[300], hint[200]; /* hint may be empty */
};

enum judge_result { JUDGE_RUN, JUDGE_FILTER, JUDGE_ERROR };

struct judge_verdict {
	enum judge_result result;
	const char *rule;             /* of the filter or error */
	char message[400], hint[300]; /* filter: message is why; error: both */
	size_t notes;                 /* RUN only */
	struct judge_note note[JUDGE_NOTES_MAX];
	size_t locks; /* RUN only: shared relations locked from a tenant, sorted */
	char lock[JUDGE_LOCKS_MAX][200];
};

void judge_statement(const struct judge *judge, const struct judge_case *item,
		     struct judge_verdict *out);
/* It is to be sent alone, outside of a transaction: because it must be, or because it says so. */
bool judge_is_alone(const struct judge_case *item);
/*
 * The reason for which a finding of this rule is accepted (by directive or pgdocket.conf), or NULL.
 */
const char *judge_accepted(const struct judge *judge, const struct judge_case *item,
			   const char *rule);

/* judge_names.c: whose a name is. */
enum judge_side { SIDE_OURS, SIDE_THEIRS, SIDE_FALLS, SIDE_UNKNOWN, SIDE_DATABASE, SIDE_FOREIGN };
struct judge_place {
	enum judge_side side;
	const char *owner; /* THEIRS: the table it belongs to */
};
/* Where an object of the statement would be found, or made. */
struct judge_place judge_place(const struct judge *judge, const struct sql_statement *statement,
			       size_t n);
bool judge_is_target(const struct sql_object *object);
/*
 * The schema that an object names and that is not the class's own, or NULL; pg_catalog and its like
 * give NULL.
 */
const char *judge_foreign_schema(const struct judge *judge, const struct sql_object *object);
/* "public.users" or "users". Borrowed from one of four static-size slots in buffer. */
const char *judge_name(const struct sql_object *object, char buffer[200]);

/* judge_bodies.c: text that the parser does not look into. */
const char *judge_body_word(const struct sql_statement *statement); /* for people */
bool judge_mentions(const struct sql_statement *statement, const char *word);
/* What a body says that changes the session ("search_path", "SET ROLE"), or NULL. */
const char *judge_session_word(const struct sql_statement *statement);
enum judge_mention { MENTION_NONE, MENTION_ONLY, MENTION_LACKING, MENTION_SHARED, MENTION_TENANT };
/*
 * What bodies mention that is not the class's own: a table of one side only, something of the
 * shared schema that these tenants lack, public.x outright, or another tenant's schema; name says
 * which.
 */
enum judge_mention judge_mention(const struct judge *judge, const struct sql_statement *statement,
				 char name[200]);

/* judge_notes.c: what a reviewer must see of a statement that runs, and what it locks. */
void judge_notes(const struct judge *judge, const struct judge_case *item,
		 struct judge_verdict *out);

#endif
