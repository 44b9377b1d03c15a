/* Reads policy.conf into a struct: a table of keys, each with its reader. Only form and
 * contradictions are checked; trust_judge.c applies it. */
#include "policy.h"
#include <string.h>
#include "signers.h"
#include "text.h"

#define WORDS_MAX (POLICY_MEMBERS_MAX + 2)

struct reading {
	struct arena *arena;
	struct signers_reader lines;
	struct policy *policy;
	void *field; /* of policy, where the rule says */
	const char *value;
	size_t words;
	const char *word[WORDS_MAX]; /* the value cut at blanks */
	bool counted_plan, counted_approve;
};

struct rule {
	const char *key;
	bool repeats;
	const char *expects; /* for messages */
	bool (*read)(struct reading *reading);
	size_t offset;
};

static bool read_label(struct reading *reading)
{
	reading->policy->label = reading->value;
	return strlen(reading->value) <= 512;
}

static bool read_path(struct reading *reading)
{
	reading->policy->conninfo_file = reading->value;
	return true;
}

static bool read_switch(struct reading *reading)
{
	bool *out = reading->field;
	*out = strcmp(reading->value, "yes") == 0;
	return *out || strcmp(reading->value, "no") == 0;
}

static bool read_uncovered(struct reading *reading)
{
	bool *out = reading->field;
	*out = strcmp(reading->value, "refuse") == 0;
	return *out || strcmp(reading->value, "report") == 0;
}

static bool read_duration(struct reading *reading)
{
	int64_t *out = reading->field;
	return text_duration_ms(reading->value, out) && *out <= INT64_MAX / 1000000;
}

static bool read_require(struct reading *reading)
{
	bool plan = reading->words == 2 && strcmp(reading->word[0], "plan") == 0;
	bool approve = reading->words == 2 && strcmp(reading->word[0], "approve") == 0;
	bool *counted = plan ? &reading->counted_plan : &reading->counted_approve;
	int64_t count;
	/* A plan that nobody signed is never applied, whatever the policy says. */
	if ((!plan && !approve) || *counted || !text_int64(reading->word[1], plan ? 1 : 0, 64, &count))
		return false;
	*counted = true;
	*(plan ? &reading->policy->plan : &reading->policy->approve) = (int)count;
	return true;
}

static struct policy_group *find_group(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->groups; i++)
		if (strcmp(policy->group[i].name, name) == 0)
			return &policy->group[i];
	return NULL;
}

static bool read_group(struct reading *reading)
{
	struct policy *policy = reading->policy;
	if (reading->words < 2 || reading->words > POLICY_MEMBERS_MAX + 1 ||
		policy->groups == POLICY_GROUPS_MAX || find_group(policy, reading->word[0]))
		return false;
	struct policy_group *group = &policy->group[policy->groups++];
	group->name = reading->word[0];
	for (size_t i = 1; i < reading->words; i++) {
		const char *member = reading->word[i];
		if (!signers_principal_valid(member, strlen(member)))
			return false;
		for (size_t j = 0; j < group->members; j++)
			if (strcmp(group->member[j], member) == 0)
				return false;
		group->member[group->members++] = member;
	}
	return true;
}

static bool read_require_group(struct reading *reading)
{
	int64_t count;
	bool two = reading->words == 2;
	struct policy_group *group = two ? find_group(reading->policy, reading->word[0]) : NULL;
	if (!group || group->required ||
		!text_int64(reading->word[1], 1, (int64_t)group->members, &count))
		return false;
	group->required = (int)count;
	return true;
}

static bool read_distinct(struct reading *reading)
{
	static const struct {
		const char *word;
		unsigned bit;
	} people[] = { { "planner", POLICY_PLANNER }, { "approver", POLICY_APPROVER },
		{ "operator", POLICY_OPERATOR } };
	unsigned *out = reading->field;
	*out = 0;
	for (size_t i = 0; i < reading->words; i++) {
		unsigned bit = 0;
		for (size_t j = 0; j < sizeof(people) / sizeof(people[0]); j++)
			if (strcmp(reading->word[i], people[j].word) == 0)
				bit = people[j].bit;
		if (!bit || *out & bit)
			return false;
		*out |= bit;
	}
	return reading->words >= 2;
}

static bool read_operator(struct reading *reading)
{
	struct policy *policy = reading->policy;
	int64_t uid;
	if (reading->words != 3 || strcmp(reading->word[0], "uid") != 0 ||
		policy->operators == POLICY_OPERATORS_MAX ||
		!text_int64(reading->word[1], 0, UINT32_MAX, &uid) ||
		!signers_principal_valid(reading->word[2], strlen(reading->word[2])))
		return false;
	for (size_t i = 0; i < policy->operators; i++)
		if (policy->operator[i].uid == uid)
			return false;
	policy->operator[policy->operators].uid = uid;
	policy->operator[policy->operators++].principal = reading->word[2];
	return true;
}

#define AT(name) offsetof(struct policy, name)
#define SWITCH(key, name) { key, false, "yes or no", read_switch, AT(name) }
#define DURATION(key, name) \
	{ key, false, "a duration, as 30s, 24h, 14d", read_duration, AT(name) }
static const struct rule rules[] = {
	{ "label", false, "the environment's name", read_label, 0 },
	{ "conninfo-file", false, "a file name", read_path, 0 },
	{ "require", true,
		"\"plan N\" with N of 1 to 64, or \"approve N\" with N of 0 to 64, each once", read_require,
		0 },
	{ "group", true, "a new group's name and its members, each once", read_group, 0 },
	{ "require-group", true, "a group that stands above, and how many of its members",
		read_require_group, 0 },
	{ "distinct", false, "two or three of planner, approver, operator", read_distinct,
		AT(distinct) },
	SWITCH("reject-is-veto", reject_is_veto),
	SWITCH("require-sk", require_sk),
	SWITCH("require-uv", require_uv),
	SWITCH("require-rehearsal", require_rehearsal),
	SWITCH("require-apply-host", require_apply_host),
	SWITCH("require-tls", require_tls),
	SWITCH("allow-root", allow_root),
	{ "uncovered", false, "report or refuse", read_uncovered, AT(uncovered_refuse) },
	DURATION("max-plan-age", max_plan_age_ms),
	DURATION("max-clock-skew", max_clock_skew_ms),
	DURATION("resume-grace", resume_grace_ms),
	{ "operator", true, "\"uid NUMBER PRINCIPAL\", a uid once", read_operator, 0 },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static int set_defaults(struct arena *arena, struct policy *policy, struct err *err)
{
	*policy = (struct policy){
		.plan = 1,
		.approve = 2,
		.distinct = POLICY_PLANNER | POLICY_APPROVER,
		.reject_is_veto = true,
		.require_apply_host = true,
		.require_tls = true,
		.allow_root = true,
		.max_plan_age_ms = INT64_C(14) * 86400000,
		.max_clock_skew_ms = 120000,
		.resume_grace_ms = 86400000,
	};
	policy->group = arena_array(arena, POLICY_GROUPS_MAX, sizeof(*policy->group), err);
	policy->operator= arena_array(arena, POLICY_OPERATORS_MAX, sizeof(*policy->operator), err);
	return policy->group && policy->operator? 0 : - 1;
}

/* The value with blanks around cut off, and its words. */
static int take_value(struct reading *reading, const char *value, size_t len, struct err *err)
{
	while (len && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	reading->value = arena_copy(reading->arena, value, len, err);
	char *copy = arena_copy(reading->arena, value, len, err);
	if (!reading->value || !copy)
		return -1;
	reading->words = 0;
	char *rest = NULL;
	for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (reading->words == WORDS_MAX)
			return signers_wrong(&reading->lines, err, "more than %d words", WORDS_MAX);
		reading->word[reading->words++] = word;
	}
	return 0;
}

static const struct rule *find_rule(const char *key, size_t len)
{
	for (size_t i = 0; i < RULES; i++)
		if (strlen(rules[i].key) == len && memcmp(rules[i].key, key, len) == 0)
			return &rules[i];
	return NULL;
}

static int take_line(
	struct reading *reading, const char *line, size_t len, unsigned *seen, struct err *err)
{
	const char *colon = memchr(line, ':', len);
	const struct rule *rule = colon ? find_rule(line, (size_t)(colon - line)) : NULL;
	if (!colon)
		return signers_wrong(&reading->lines, err, "\"key: value\" was expected");
	if (!rule)
		return signers_wrong(&reading->lines, err, "there is no key \"%.*s\"",
			(int)(colon - line < 60 ? colon - line : 60), line);
	unsigned bit = 1u << (rule - rules);
	if (*seen & bit && !rule->repeats)
		return signers_wrong(&reading->lines, err, "%s stands twice", rule->key);
	*seen |= bit;
	if (take_value(reading, colon + 1, len - (size_t)(colon - line) - 1, err))
		return -1;
	reading->field = (char *)reading->policy + rule->offset;
	if (!*reading->value || !rule->read(reading))
		return signers_wrong(&reading->lines, err, "%s takes %s", rule->key, rule->expects);
	return 0;
}

int policy_parse(struct arena *arena, const char *path, const char *text, size_t len,
	struct policy *out, struct err *err)
{
	struct reading reading = {
		.arena = arena, .lines = { path, text, text + len, 0 }, .policy = out
	};
	const char *line;
	size_t line_len, bad;
	unsigned seen = 0;
	if (set_defaults(arena, out, err))
		return -1;
	if (!text_utf8(text, len, &bad))
		return err_refuse(err, "policy", "%s: not UTF-8 at byte %zu", path, bad);
	while (signers_line(&reading.lines, &line, &line_len, err))
		if (take_line(&reading, line, line_len, &seen, err))
			return -1;
	if (!err->code && !out->label)
		err_refuse_hint(err, "policy",
			"add the line \"label: NAME\", with the name that pgdocket.conf has",
			"%s: label is missing", path);
	return err->code ? -1 : 0;
}
