/* policy.conf: what this host demands (TRUST.md a.5). */
#ifndef PGDOCKET_POLICY_H
#define PGDOCKET_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include "arena.h"

#define POLICY_GROUPS_MAX 32
#define POLICY_MEMBERS_MAX 64
#define POLICY_OPERATORS_MAX 64

enum policy_person { POLICY_PLANNER = 1, POLICY_APPROVER = 2, POLICY_OPERATOR = 4 };

struct policy_group {
	const char *name;
	size_t members;
	const char *member[POLICY_MEMBERS_MAX];
	int required; /* require-group; 0: none */
};

struct policy {
	const char *label;
	/* in trust_policy absolute, or the directory in front; NULL: none */
	const char *conninfo_file;
	int plan, approve;         /* require: how many people */
	unsigned distinct;         /* bits of policy_person: no two of these may be one person */
	bool reject_is_veto, require_sk, require_uv, require_rehearsal, require_apply_host, require_tls,
		allow_root;
	bool uncovered_refuse;
	int64_t max_plan_age_ms, max_clock_skew_ms, resume_grace_ms;
	size_t groups;
	struct policy_group *group;
	size_t operators;
	struct policy_operator {
		int64_t uid;
		const char *principal;
	} *operator;
};

/* path stands in messages. ERR_REFUSED reason "policy" naming the line. Texts live in the arena. */
int policy_parse(struct arena *arena, const char *path, const char *text, size_t len,
	struct policy *out, struct err *err) MUST_CHECK;

#endif
