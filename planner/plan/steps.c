/*
 * What a program sends besides the migrations' statements: guards, the history table's lock, its
 * rows. The texts come from the history adapter; behind this file nobody knows which one it was.
 */
#include "making.h"

#include <string.h>

#define NO_HISTORY "none\n"

int steps_text(struct arena *arena, const char *text, const char *tag, const char *answer,
	       struct doc_step *out, struct err *err)
{
	memset(out, 0, sizeof *out);
	out->text_len = strlen(text);
	out->text = text;
	digest_of(text, out->text_len, &out->text_digest);
	if (tag && !(out->tag = arena_text(arena, tag, err)))
		return -1;
	if (answer && !(out->answer = arena_text(arena, answer, err)))
		return -1;
	return 0;
}

/*
 * The history as it stands while only these are applied; what the state otherwise records is kept.
 */
static void state_with(const struct planned *planned, const bool *applied,
		       struct history_state *out)
{
	memset(out, 0, sizeof *out);
	if (planned->class)
		*out = planned->class->state;
	out->adapter = planned->adapter;
	out->applied = (bool *)(uintptr_t)applied;
}

int steps_state(struct making *making, const struct planned *planned, const bool *applied,
		struct digest *out, struct err *err)
{
	struct history_state state;
	struct buf text = BUF_INIT(16u << 20);
	int result = -1;

	state_with(planned, applied, &state);
	if (history_state_text(planned->adapter, &state, making->source, applied, &text, err) ||
	    buf_check(&text, err))
		goto out;
	digest_of(buf_text(&text), text.len, out);
	result = 0;
out:
	buf_release(&text);
	return result;
}

int steps_before(struct making *making, const struct planned *planned, bool create_history,
		 const struct digest *state, struct doc_segment *segment, struct err *err)
{
	const struct history_adapter *adapter = planned->adapter;
	char hex[DIGEST_HEX_SIZE];
	struct digest none;
	size_t n = 0;

	segment->before = arena_array(making->arena, 4, sizeof *segment->before, err);
	if (!segment->before)
		return -1;
	if (create_history) {
		digest_of(NO_HISTORY, sizeof NO_HISTORY - 1, &none);
		digest_hex(&none, hex);
		if (steps_text(making->arena, adapter->guard_none_sql, NULL, hex,
			       &segment->before[n++], err) ||
		    steps_text(making->arena, adapter->create_sql, adapter->create_tag, NULL,
			       &segment->before[n++], err))
			return -1;
	}
	digest_hex(state, hex);
	if (steps_text(making->arena, adapter->lock_sql, "LOCK TABLE", NULL, &segment->before[n++],
		       err) ||
	    steps_text(making->arena, adapter->guard_sql, NULL, hex, &segment->before[n++], err))
		return -1;
	segment->befores = n;
	return 0;
}

int steps_after(struct making *making, const struct planned *planned, const bool *from,
		const bool *to, const struct digest *state, struct doc_segment *segment,
		struct err *err)
{
	struct history_state before;
	struct history_write *writes = NULL;
	size_t count = 0;
	char hex[DIGEST_HEX_SIZE];

	state_with(planned, from, &before);
	if (history_writes(making->arena, planned->adapter, &before, making->source, to, &writes,
			   &count, err))
		return -1;
	segment->after = arena_array(making->arena, count + 1, sizeof *segment->after, err);
	if (!segment->after)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (steps_text(making->arena, writes[i].sql, writes[i].tag, NULL,
			       &segment->after[i], err))
			return -1;
	digest_hex(state, hex);
	segment->afters = count + 1;
	return steps_text(making->arena, planned->adapter->guard_sql, NULL, hex,
			  &segment->after[count], err);
}
