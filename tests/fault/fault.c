/* The counter behind fault.h. */
#include "fault.h"

static struct {
	enum fault_kind kind;
	long at, seen;
	bool forever;
} armed;

void fault_arm(enum fault_kind kind, long at, bool forever)
{
	armed.kind = kind;
	armed.at = at;
	armed.seen = 0;
	armed.forever = forever;
}

long fault_disarm(void)
{
	long seen = armed.seen;
	armed.kind = 0;
	armed.at = armed.seen = 0;
	return seen;
}

enum fault_kind fault_armed(void)
{
	return armed.kind;
}

bool fault_due(enum fault_kind kinds)
{
	if (!(armed.kind & kinds))
		return false;
	armed.seen++;
	return armed.at && (armed.seen == armed.at || (armed.forever && armed.seen > armed.at));
}
