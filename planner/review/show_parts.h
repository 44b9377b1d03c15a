/* What the formats of `show` share. */
#ifndef PGDOCKET_SHOW_PARTS_H
#define PGDOCKET_SHOW_PARTS_H

#include "show.h"

/* "tenant_a, tenant_b, tenant_c and 409 more", escaped. */
void show_schemas(const struct show *show, int class_index, struct buf *out);
/* The lane of a segment, for people: normal, shared, alone. */
const char *show_lane(const struct doc_segment *segment);
/* What a probe must say before and behind its statement, for people. */
const char *show_verdicts(const struct doc_alone *alone);
/* Every line of text behind an indent, escaped. */
void show_lines(struct buf *out, const char *indent, const char *text, size_t len);
/* The text that a rewritten statement had before, appended in lines. */
int show_original(const struct show *show, const struct doc_statement *statement,
		  const char *indent, struct buf *out, struct err *err) MUST_CHECK;
/* What a class's history says before the plan: "golang-migrate, 3", "no history table". */
int show_state(const struct show *show, const struct digest *state, struct buf *out,
	       struct err *err) MUST_CHECK;

#endif
