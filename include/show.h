/*
 * A bundle's plan for those who review it: loaded and checked against its digests, then written as
 * text, JSON or SQL. Whether its signatures may be trusted is said by `pgdocket verify`, not here.
 */
#ifndef PGDOCKET_SHOW_H
#define PGDOCKET_SHOW_H

#include "arena.h"
#include "buf.h"
#include "db.h"
#include "document.h"
#include "plan_statement.h"

struct show_signature {
	const char *name_space, *fingerprint; /* SHA256:... of the key */
	bool is_approval, approve; /* an approval statement that parses; what it decides */
	const char *who, *comment; /* as the approval claims; NULL for the planner's signature */
	int64_t signed_at_us;
};

struct show {
	struct arena *arena;
	struct db *db; /* the bundle's; borrowed */
	struct document *document;
	struct plan_statement statement;
	struct digest plan;
	size_t signatures;
	struct show_signature *signature;
};

/* ERR_PLAN: no plan. ERR_FORMAT: not what its digests say. show_release always. */
int show_load(struct db *bundle, struct show *out, struct err *err) MUST_CHECK;
void show_release(struct show *show);

/*
 * only: the number of the one class to be shown, or -1. Control characters of foreign texts are
 * escaped.
 */
int show_text(const struct show *show, int only, struct buf *out, struct err *err) MUST_CHECK;
/* The document's own bytes, wrapped with what the statement says. */
int show_json(const struct show *show, struct buf *out, struct err *err) MUST_CHECK;
/* What will run, class by class; filtered statements as comments. */
int show_sql(const struct show *show, int only, struct buf *out, struct err *err) MUST_CHECK;

#endif
