/*
 * SQL text split and classified by PostgreSQL's own parser (libpg_query, grammar of 15), behind
 * this facade: no other file knows libpg_query. What is said here of a statement is what the
 * planner needs to decide for whom it runs.
 */
#ifndef PGDOCKET_STATEMENT_H
#define PGDOCKET_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"

#define STATEMENT_TREE_MAX_BYTES (512u << 10) /* larger ones are opaque (TRAPS.md 19) */

enum sql_scope { SQL_SCOPE_NONE, SQL_SCOPE_SHARED, SQL_SCOPE_TENANT, SQL_SCOPE_ALL };

struct sql_accept {
	const char *rule, *reason;
};

/*
 * `-- pgdocket:` directives, of a file (its first lines) or of a statement (above it, or behind it
 * on the line where it ends).
 */
struct sql_directives {
	enum sql_scope scope;
	bool transaction_off, idempotent, keep_session;
	const char *probe; /* NULL: none */
	size_t accepts;
	struct sql_accept *accept;
};

enum sql_category {
	SQL_DDL,
	SQL_DML,
	SQL_SELECT,
	SQL_DO,
	SQL_SET, /* also SELECT set_config(...) alone (tag SELECT) */
	SQL_RESET,
	SQL_TRANSACTION, /* BEGIN, COMMIT ...: see transaction_kind */
	SQL_COPY,
	SQL_LISTEN,
	SQL_LOCK,
	SQL_OPAQUE,
	SQL_OTHER
};

enum sql_object_kind {
	SQL_RELATION, /* table, view, matview, sequence or foreign table: by name alike */
	SQL_TABLE,
	SQL_VIEW,
	SQL_SEQUENCE,
	SQL_INDEX,
	SQL_FUNCTION,
	SQL_TYPE,
	SQL_TRIGGER,
	SQL_SCHEMA,
	SQL_EXTENSION,
	SQL_DATABASE_WIDE,
	SQL_OBJECT_OTHER
};

/*
 * References are FROM, LIKE, INHERITS, a view's body, functions in expressions, 'name'::regclass,
 * nextval('name'). Functions and types are listed by name, built-in ones too, types unless they
 * are written pg_catalog.x; a type may be a table's row type. setval('name', ...) is a target.
 */
enum sql_use {
	SQL_TARGET,     /* acted on: altered, written, commented, granted, a trigger's table */
	SQL_CREATE,     /* made by this statement */
	SQL_DROP,       /* target that is gone afterwards */
	SQL_RENAME_TO,  /* the new name of the object in front of it */
	SQL_REFERENCE,  /* read */
	SQL_FOREIGN_KEY /* target of a foreign key */
};

/*
 * table: of an index, trigger, policy or rule its table when the statement names it; of a sequence
 * the table that owns it; of a new partition the partitioned table; else NULL. Indexes and
 * sequences that come with a table (constraints, serial, identity) are listed as SQL_CREATE, by the
 * names that PostgreSQL gives them.
 */
struct sql_object {
	enum sql_use use;
	enum sql_object_kind kind;
	const char *schema; /* NULL: unqualified; "pg_temp" for CREATE TEMPORARY */
	const char *name;   /* after the parser's case folding */
	const char *table;
	const char *table_schema;
	/* Dropped functions: the types given in parentheses, bare names as SQL writes them; else NULL.
	 * */
	const char *arguments;
	bool missing_ok; /* IF EXISTS / IF NOT EXISTS */
	bool unnamed;    /* CREATE INDEX without a name: this is what PostgreSQL tries first */
};

struct sql_statement {
	/* From its first token to its last: no comments or blanks around it, no ';'. */
	const char *text;
	size_t len;
	size_t offset; /* of text in the file, bytes */
	int line;      /* of text's first byte, from 1 */
	int end_line;
	enum sql_category category;
	/* What PostgreSQL answers: "INSERT", "SELECT|CREATE TABLE AS"; NULL: not known. */
	const char *tag;
	const char *kind;       /* for people: "CREATE INDEX CONCURRENTLY" */
	bool non_transactional; /* answers 25001 in a block */
	bool destructive;       /* TRUST.md decision 1 */
	bool set_local;         /* SQL_SET: ends with the transaction by itself */
	/*
	 * SQL_SET, SQL_RESET: the parameter's name, or "ROLE", "SESSION AUTHORIZATION",
	 * "TRANSACTION", "CONSTRAINTS ALL IMMEDIATE", "ALL" ...
	 */
	const char *setting;
	/*
	 * "BEGIN" (START TRANSACTION too), "COMMIT", "ROLLBACK", "SAVEPOINT", "PREPARE
	 * TRANSACTION" ...; "BEGIN WITH MODES", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN".
	 */
	const char *transaction_kind;
	const char *opaque_why; /* SQL_OPAQUE: the parser's message */
	const char *new_label;  /* ALTER TYPE ADD VALUE: the value; else NULL */
	size_t objects;
	struct sql_object *object;
	size_t bodies; /* text that the parser does not look into: of DO blocks and functions */
	const char **body;
	struct sql_directives directives;
};

struct sql_file {
	struct sql_directives directives;
	size_t statements;
	struct sql_statement *statement;
};

/*
 * Split and classify. name stands for the file in messages; first_line: line of text's first byte
 * in the file. A statement that does not parse is SQL_OPAQUE, not an error.
 *
 * Errors, all ERR_PLAN naming file and line: BOM, NUL, invalid UTF-8, psql meta-command, COPY FROM
 * STDIN, a malformed, unknown or misplaced directive, text over 64 MiB.
 */
int statement_parse_file(struct arena *arena, const char *name, const char *text, size_t len,
			 int first_line, struct sql_file **out, struct err *err) MUST_CHECK;
/* True if body mentions the identifier as a word: in any case, quoted or not, also in literals. */
bool statement_mentions(const char *body, const char *identifier);
/* "SET x = y" as "SET LOCAL x = y". ERR_PLAN: a SET that cannot be limited to a transaction. */
int statement_set_local(struct arena *arena, const struct sql_statement *statement,
			const char **out, struct err *err) MUST_CHECK;

#endif
