/*
 * Collections of findings and problems. The same thing said of several classes is one remark with
 * several classes, so that a reviewer reads it once.
 */
#include "making.h"

#include <string.h>

int grow_items(struct arena *arena, void **items, size_t count, size_t *room, size_t size,
	       struct err *err)
{
	size_t larger = *room ? *room * 2 : 8;
	void *grown;

	if (count < *room)
		return 0;
	grown = arena_array(arena, larger, size, err);
	if (!grown)
		return -1;
	if (count)
		memcpy(grown, *items, count * size);
	*items = grown;
	*room = larger;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct remark *find(struct remarks *remarks, const struct remark *remark)
{
	for (size_t i = 0; i < remarks->count; i++) {
		struct remark *each = &remarks->item[i];

		if (each->line == remark->line && same_text(each->rule, remark->rule) &&
		    same_text(each->file, remark->file) &&
		    same_text(each->message, remark->message))
			return each;
	}
	return NULL;
}

static int copy_text(struct arena *arena, const char **text, struct err *err)
{
	if (*text && !(*text = arena_text(arena, *text, err)))
		return -1;
	return 0;
}

static int add_class(struct remark *remark, struct arena *arena, int planned, struct err *err)
{
	if (planned < 0) {
		remark->whole = true;
		return 0;
	}
	for (size_t i = 0; i < remark->classes; i++)
		if (remark->class[i] == planned)
			return 0;
	if (GROW(arena, remark->class, remark->classes, remark->room, err))
		return -1;
	remark->class[remark->classes++] = planned;
	return 0;
}

int remarks_add(struct remarks *remarks, struct arena *arena, const struct remark *remark,
		int planned, struct err *err)
{
	struct remark *found = find(remarks, remark);

	if (!found) {
		if (GROW(arena, remarks->item, remarks->count, remarks->room, err))
			return -1;
		found = &remarks->item[remarks->count++];
		*found = *remark;
		found->classes = found->room = 0;
		found->class = NULL;
		if (found->hint && !found->hint[0])
			found->hint = NULL;
		if (copy_text(arena, &found->rule, err) || copy_text(arena, &found->message, err) ||
		    copy_text(arena, &found->hint, err) || copy_text(arena, &found->file, err) ||
		    copy_text(arena, &found->accepted, err))
			return -1;
	}
	return add_class(found, arena, planned, err);
}

int remarks_merge(struct remarks *into, struct arena *arena, const struct remarks *from,
		  struct err *err)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct remark *remark = &from->item[i];

		if (remark->whole && remarks_add(into, arena, remark, -1, err))
			return -1;
		for (size_t c = 0; c < remark->classes; c++)
			if (remarks_add(into, arena, remark, remark->class[c], err))
				return -1;
	}
	return 0;
}
