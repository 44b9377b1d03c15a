/*
 * The plan document (JSON; bundles/plan.schema.json) as a graph of structs: what both programs read
 * after its digest holds. Everything here lives in the document's arena. Texts of statements are
 * loaded and verified with it.
 */
#ifndef PGDOCKET_DOCUMENT_H
#define PGDOCKET_DOCUMENT_H

#include <stdbool.h>
#include <string.h>
#include "buf.h"
#include "db.h"
#include "digest.h"

/*
 * One thing that is sent: a statement with the tag it must answer, or a guard with the answer it
 * must give.
 */
struct doc_step {
	struct digest text_digest;
	const char *text;
	size_t text_len;
	/*
	 * statement: command tag announced ("CREATE TABLE"); "A|B" for alternatives; NULL: any but
	 * transaction control's
	 */
	const char *tag;
	/* guard: the one text value it must return; NULL: this is a statement */
	const char *answer;
};

enum doc_does {
	DOC_RUN,      /* a migration's statement, as written */
	DOC_FILTERED, /* shown, not sent */
	DOC_SETTING /* sent; made by the planner: settings restored or repeated */
};

struct doc_statement {
	/* within its program, from 1, in document order, filtered ones counted */
	int number;
	struct doc_step step;
	int migration; /* index into the segment's migrations */
	int line;      /* in its file, from 1 */
	enum doc_does does;
	const char *why; /* filtered or rewritten: the reason; else NULL */
	bool rewritten;
	struct digest original; /* object of the text before rewriting, when rewritten */
	bool destructive;
	size_t locks;
	const char **lock; /* shared relations locked from a tenant: "public.users" */
};

struct doc_migration {
	const char *version, *name, *file;
	bool up;
	struct digest text; /* object of the file */
};

/* What a segment needs that cannot run in a transaction (PROTOCOL.md). */
struct doc_alone {
	const char *object; /* what the statement makes, changes or takes away; for the ledger */
	/*
	 * One row: the verdict, and the name of an index of the schema that must be dropped
	 * (concurrently) before the statement can run again, or NULL. Verdicts: "open" it is still to
	 * be done; "done"; "ready" it can be run, and when it ends well it is done (nothing shows
	 * whether it was done before); "broken" it was begun and did not end well. Asked under the
	 * plan's search_path. answer: the verdicts, separated by |, that it may give before the
	 * statement was ever begun.
	 */
	bool has_probe; /* false: the statement may be run again whatever became of it */
	struct doc_step probe;
};

struct doc_segment {
	int number; /* from 1 */
	/*
	 * false: exactly one statement is sent, alone; `before` is asked before it, under the history
	 * table's lock, and again with `after` behind it. alone is filled in.
	 */
	bool transactional;
	struct doc_alone alone;
	bool shared_locks;  /* locks shared relations from a tenant */
	bool create_schema; /* CREATE SCHEMA is the applier's first statement */
	struct digest state_before, state_after;
	size_t befores, statements, afters, migrations;
	/* stage 1, in order: guard none, CREATE TABLE, LOCK, guard state */
	struct doc_step *before;
	struct doc_statement *statement; /* stage 2 */
	/* stage 2 behind the statements: history rows, guard state */
	struct doc_step *after;
	struct doc_migration *migration;
};

struct doc_program {
	int number;
	bool revert;
	size_t segments;
	struct doc_segment *segment;
};

/* A migration that is cut stands in each of its segments: true in the first of them. */
static inline bool doc_migration_begins(const struct doc_program *program, size_t segment,
					size_t migration)
{
	const struct doc_segment *here = &program->segment[segment], *before = here - 1;

	return migration > 0 || segment == 0 || before->migrations == 0 ||
	       strcmp(before->migration[before->migrations - 1].version,
		      here->migration[0].version) != 0;
}

struct doc_class {
	int number;
	bool shared;         /* scope: shared, else tenant */
	const char *adapter; /* history adapter: "golang-migrate" ... or "none" */
	struct digest state_before, state_after;
	bool has_shape_before; /* false: the schema is to be made */
	struct digest shape_before;
	bool has_shape_after; /* set by a rehearsal */
	struct digest shape_after;
	struct doc_step read_state; /* the guard query that gives state_before, for `check` */
	int program;                /* index into programs */
	size_t schemas;             /* how many */
};

struct doc_schema {
	const char *name;
	int64_t oid; /* 0: to be made */
	int class_index, wave;
	bool has_native_lock;
	int64_t native_lock;
};

struct doc_wave {
	const char *name;
	int max_failures;
	size_t schemas; /* how many */
};

enum doc_severity { DOC_INFO, DOC_WARNING, DOC_DANGER };
struct doc_finding {
	const char *rule, *message, *hint; /* hint may be NULL */
	enum doc_severity severity;
	int class_index;  /* -1: the whole plan */
	const char *file; /* NULL: none */
	int line;
	const char *accepted; /* reason, or NULL */
};

struct doc_pin {
	const char *name, *value;
};

struct document {
	int target_number; /* of the bundle's table target */
	/* apply_host "any" or SHA256:... */
	const char *label, *apply_host, *system_identifier, *database, *shared_schema;
	int64_t database_oid;
	int server_version;        /* 150018 */
	const char *tenants_query; /* returns name[, active]; NULL with tenants_pattern */
	const char *tenants_pattern;
	struct digest snapshot;
	bool per_migration; /* transaction = migration */
	bool strict_guard;
	int64_t lock_timeout_ms, statement_timeout_ms;
	int retries;
	size_t paths;
	const char **path; /* search_path entries; "$schema" stands for the schema */
	size_t pins;
	struct doc_pin *pin; /* TimeZone, DateStyle ... */
	/* $1 oid[], $2 text[] of history tables; rows (oid, fingerprint) */
	struct doc_step shape_query;
	size_t history_tables;
	const char **history_table; /* left out of every shape */
	size_t waves, programs, classes, schemas, findings, left_outs;
	struct doc_wave *wave;
	struct doc_program *program;
	struct doc_class *class;
	struct doc_schema *schema;
	struct doc_finding *finding;
	struct doc_left_out {
		const char *name, *why;
	} * left_out;
	/* summed over schemas, as the plan statement counts */
	int64_t statement_count, destructive_count;
	bool shared_locks; /* some program locks shared relations from a tenant */
};

#define DOCUMENT_MAX_BYTES (64u << 20)

/*
 * Step 8 and 9 of TRUST.md a.7: digest and length, no key twice, format known, every reference in
 * range, every object that it names present with the digests it states; objects in the bundle that
 * nothing names are refused. ERR_FORMAT reason "document" or "object"; ERR_VERSION for a newer
 * format.
 */
int document_load(struct db *bundle, const struct digest *digest, int64_t size,
		  struct document **out, struct err *err) MUST_CHECK;
void document_free(struct document *document);
/*
 * Every step of the document: guards, statements (filtered ones too), probes, history writes, the
 * state and shape queries. what and number name it in messages; what is NULL where it is filtered
 * and never sent. Stops when visit fails.
 */
typedef int doc_visit(
	void *context, struct doc_step *step, const char *what, int number, struct err *err);
int document_each_step(
	struct document *document, doc_visit *visit, void *context, struct err *err) MUST_CHECK;
/*
 * The first-word check of PROTOCOL.md: true when text begins with a word that controls transactions
 * or sessions; *word names it.
 */
bool document_first_word_refused(const char *text, size_t len, char word[32]);

#endif
