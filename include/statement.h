/*
 * SQL text split and classified by PostgreSQL's own parser (libpg_query, grammar of 15), behind this facade: no other file
 * knows libpg_query. What is said here of a statement is what the planner needs to decide for whom it runs.
 */
#ifndef PGDOCKET_STATEMENT_H
#define PGDOCKET_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"

#define STATEMENT_TREE_MAX_BYTES (512u << 10) /* larger ones are opaque (TRAPS.md 19) */

enum sql_scope { SQL_SCOPE_NONE, SQL_SCOPE_SHARED, SQL_SCOPE_TENANT, SQL_SCOPE_ALL };

/* `-- pgdocket:` directives, of a file (its first lines) or of a statement (above it, or behind it on the line where it ends). */
struct sql_directives {
	enum sql_scope scope;
	bool transaction_off, idempotent, keep_session;
	const char *probe;                 /* NULL: none */
	size_t accepts;
	struct sql_accept { const char *rule, *reason; } *accept;
};

enum sql_category {
	SQL_DDL, SQL_DML, SQL_SELECT,
	SQL_DO,            /* DO block */
	SQL_SET,           /* SET, and SELECT set_config(...) alone (tag SELECT); set_local: ends with the transaction by itself */
	SQL_RESET,
	SQL_TRANSACTION,   /* BEGIN, COMMIT ...: transaction_kind */
	SQL_COPY, SQL_LISTEN, SQL_LOCK, SQL_OPAQUE, SQL_OTHER
};

enum sql_object_kind { SQL_RELATION /* table, view, matview, sequence or foreign table: by name alike */, SQL_TABLE, SQL_VIEW, SQL_SEQUENCE,
	SQL_INDEX, SQL_FUNCTION, SQL_TYPE, SQL_TRIGGER, SQL_SCHEMA, SQL_EXTENSION, SQL_DATABASE_WIDE, SQL_OBJECT_OTHER };

enum sql_use {
	SQL_TARGET,    /* acted on: altered, dropped, written, commented, granted, indexed, trigger's table */
	SQL_CREATE,    /* made by this statement */
	SQL_DROP,      /* target that is gone afterwards */
	SQL_RENAME_TO, /* the new name of the object use before it */
	SQL_REFERENCE, /* read: FROM, LIKE, INHERITS, view body, function in an expression, 'name'::regclass, nextval('name').
	                  Functions and types are listed by name, built-in ones too unless they are written pg_catalog.x; a type may
	                  be a table's row type. setval('name', ...) is a SQL_TARGET */
	SQL_FOREIGN_KEY /* target of a foreign key */
};

struct sql_object {
	enum sql_use use;
	enum sql_object_kind kind;
	const char *schema;  /* NULL: unqualified; "pg_temp" for CREATE TEMPORARY */
	const char *name;    /* after the parser's case folding */
	const char *table;   /* index, trigger, policy, rule: its table when the statement names it; owned sequence: OWNED BY's table;
	                        partition made: the partitioned table; else NULL. Indexes and sequences that come with a table
	                        (constraints, serial, identity) are listed as SQL_CREATE with it, by PostgreSQL's names */
	const char *table_schema;
	bool missing_ok;     /* IF EXISTS / IF NOT EXISTS */
};

struct sql_statement {
	const char *text;    /* from its first token to its last: no comments or blanks around it, no ';' */
	size_t len;
	size_t offset;       /* of text in the file, bytes */
	int line;            /* of text's first byte, from 1 */
	int end_line;
	enum sql_category category;
	const char *tag;     /* the command tag PostgreSQL answers ("ALTER TABLE", "INSERT", "SELECT|CREATE TABLE AS"); NULL: not known */
	const char *kind;    /* for people: "CREATE INDEX CONCURRENTLY" */
	bool non_transactional;  /* answers 25001 in a block */
	bool destructive;        /* TRUST.md decision 1 */
	bool set_local;
	const char *setting;     /* SQL_SET, SQL_RESET: the parameter's name; "ROLE", "SESSION AUTHORIZATION", "CONSTRAINTS ALL IMMEDIATE" ... */
	const char *transaction_kind; /* "BEGIN" (START TRANSACTION too), "COMMIT", "ROLLBACK", "SAVEPOINT", "PREPARE TRANSACTION" ...;
	                                 "BEGIN WITH MODES", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN" when there is more to it */
	const char *opaque_why;  /* SQL_OPAQUE: the parser's message */
	size_t objects;
	struct sql_object *object;
	size_t bodies;           /* text that the parser does not look into: DO blocks, function bodies, EXECUTE'd strings */
	const char **body;
	struct sql_directives directives;
};

struct sql_file {
	struct sql_directives directives;
	size_t statements;
	struct sql_statement *statement;
};

/*
 * Split and classify. name stands for the file in messages; first_line: line of text's first byte in the file.
 * Errors, all ERR_PLAN naming file and line: BOM, NUL, invalid UTF-8, psql meta-command, COPY FROM STDIN with inline data,
 * a malformed or unknown directive, text over 64 MiB. A statement that does not parse is SQL_OPAQUE, not an error.
 */
int statement_parse_file(struct arena *arena, const char *name, const char *text, size_t len, int first_line,
                         struct sql_file **out, struct err *err) MUST_CHECK;
/* True if body mentions the identifier as a word (case folded, quoted or not, also inside string literals). */
bool statement_mentions(const char *body, const char *identifier);
/* "SET x = y" as "SET LOCAL x = y": the text with LOCAL put in after SET (and SESSION taken out). */
int statement_set_local(struct arena *arena, const struct sql_statement *statement, const char **out, struct err *err) MUST_CHECK;

#endif
