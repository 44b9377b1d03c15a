/*
 * The document's graph, put together from the planned classes: equal programs become one, schemas
 * get their class and wave, findings their class. No JSON here, and no decision any more.
 */
#include "making.h"

#include <stdlib.h>
#include <string.h>
#include "shape.h"
#include "text.h"

static int settings(struct making *making, struct document *document, struct err *err)
{
	const struct conf *conf = making->conf;
	const struct classes_target *target = &making->set->target;

	document->label = target->label;
	document->apply_host = conf->apply_host;
	document->system_identifier = target->system_identifier;
	document->database = target->database;
	document->database_oid = target->database_oid;
	document->server_version = target->server_version;
	document->shared_schema = conf->shared_schema;
	document->tenants_query = conf->tenants_query;
	document->tenants_pattern = conf->tenants_pattern;
	document->per_migration = conf->per_migration;
	document->strict_guard = conf->strict_guard;
	document->lock_timeout_ms = conf->lock_timeout_ms;
	document->statement_timeout_ms = conf->statement_timeout_ms;
	document->retries = conf->retries;
	document->paths = conf->search_path.count;
	document->path = conf->search_path.items;
	document->pins = settings_pin_count;
	document->pin = arena_array(making->arena, settings_pin_count, sizeof *document->pin, err);
	if (!document->pin)
		return -1;
	memcpy(document->pin, settings_pins, settings_pin_count * sizeof *document->pin);
	return steps_text(making->arena, shape_guard_query(target->server_version), NULL, NULL,
			  &document->shape_query, err);
}

/* The tables that the snapshot left out of shapes; else every table that a history adapter uses. */
static int history_tables(struct making *making, struct document *document, struct err *err)
{
	const struct history_adapter *const *adapters = history_adapters();
	const struct plan_facts *facts = making->request->facts;
	size_t recorded = facts ? facts->history_tables : 0, count = 0;

	while (adapters[count])
		count++;
	count = recorded ? recorded : count;
	document->history_table =
		arena_array(making->arena, count, sizeof *document->history_table, err);
	if (!document->history_table)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *name = recorded ? facts->history_table[i].name : adapters[i]->table;
		bool known = false;

		for (size_t t = 0; t < document->history_tables; t++)
			known = known || !strcmp(document->history_table[t], name);
		if (!known)
			document->history_table[document->history_tables++] = name;
	}
	return 0;
}

static int waves(struct making *making, struct document *document, struct err *err)
{
	const struct conf *conf = making->conf;

	document->waves = conf->waves + 1;
	document->wave = arena_array(making->arena, document->waves, sizeof *document->wave, err);
	if (!document->wave)
		return -1;
	for (size_t i = 0; i < document->waves; i++) {
		struct doc_wave *wave =
			&document->wave[making->revert ? document->waves - 1 - i : i];

		wave->name = i ? conf->wave[i - 1].name : "shared";
		wave->max_failures = i ? conf->wave[i - 1].max_failures : 0;
	}
	return 0;
}

static int wave_of(const struct making *making, const struct document *document, const char *schema,
		   bool shared)
{
	const struct conf *conf = making->conf;
	size_t found = 0;

	for (size_t w = 0; !shared && !found && w < conf->waves; w++)
		for (size_t g = 0; !found && g < conf->wave[w].schemas.count; g++)
			if (text_glob(conf->wave[w].schemas.items[g], schema))
				found = w + 1;
	if (!shared && !found)
		found = conf->waves;
	return (int)(making->revert ? document->waves - 1 - found : found);
}

static int same_program(const struct doc_program *a, const struct doc_program *b, bool *same,
			struct err *err)
{
	struct buf left = BUF_INIT(DOCUMENT_MAX_BYTES), right = BUF_INIT(DOCUMENT_MAX_BYTES);
	int result = -1;

	if (compose_program(a, false, &left, err) || compose_program(b, false, &right, err) ||
	    buf_check(&left, err) || buf_check(&right, err))
		goto out;
	*same = left.len == right.len && !memcmp(left.data, right.data, left.len);
	result = 0;
out:
	buf_release(&left);
	buf_release(&right);
	return result;
}

static int add_program(struct document *document, const struct doc_program *program, int *index,
		       struct err *err)
{
	for (size_t i = 0; i < document->programs; i++) {
		bool same;

		if (same_program(&document->program[i], program, &same, err))
			return -1;
		if (same) {
			*index = (int)i;
			return 0;
		}
	}
	*index = (int)document->programs;
	document->program[document->programs] = *program;
	document->program[document->programs].number = *index;
	document->programs++;
	return 0;
}

static int read_state(struct making *making, const struct planned *planned, struct doc_class *class,
		      struct err *err)
{
	bool none = !planned->class || !planned->class->state.adapter;
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&class->state_before, hex);
	return steps_text(making->arena,
			  none ? planned->adapter->guard_none_sql : planned->adapter->guard_sql,
			  NULL, hex, &class->read_state, err);
}

static int add_class(struct making *making, struct document *document,
		     const struct planned *planned, struct err *err)
{
	struct doc_class *class = &document->class[document->classes];

	class->number = (int)document->classes++;
	class->shared = planned->shared;
	class->adapter = planned->adapter->name;
	class->state_before = planned->state_before;
	class->state_after = planned->state_after;
	class->has_shape_before = planned->class != NULL;
	if (planned->class)
		class->shape_before = planned->class->shape->digest;
	class->schemas = planned->schemas;
	if (add_program(document, planned->program, &class->program, err))
		return -1;
	return read_state(making, planned, class, err);
}

static int add_schema(struct making *making, struct document *document,
		      const struct classes_schema *from, int class, const struct planned *planned)
{
	struct doc_schema *schema = &document->schema[document->schemas++];

	schema->name = from->name;
	schema->oid = from->oid;
	schema->class_index = class;
	schema->wave = wave_of(making, document, from->name, planned->shared);
	schema->has_native_lock = history_native_lock(
		planned->adapter, from->name, making->set->target.database, &schema->native_lock);
	document->wave[schema->wave].schemas++;
	return 0;
}

/* Classes in their order, then schemas by name, whatever class they are in. */
static int classes(struct making *making, struct document *document, int *class_of_planned,
		   struct err *err)
{
	int *planned_of = arena_array(making->arena, making->set->schemas, sizeof *planned_of, err);

	document->class =
		arena_array(making->arena, making->planneds, sizeof *document->class, err);
	document->program =
		arena_array(making->arena, making->planneds, sizeof *document->program, err);
	document->schema =
		arena_array(making->arena, making->set->schemas, sizeof *document->schema, err);
	if (!planned_of || !document->class || !document->program || !document->schema)
		return -1;
	for (size_t p = 0; p < making->planneds; p++) {
		const struct planned *planned = &making->planned[p];

		class_of_planned[p] = -1;
		if (!planned->todos || planned->unfit)
			continue;
		class_of_planned[p] = (int)document->classes;
		if (add_class(making, document, planned, err))
			return -1;
		for (size_t s = 0; s < planned->schemas; s++)
			planned_of[planned->schema[s]] = (int)p + 1;
	}
	for (size_t i = 0; i < making->set->schemas; i++)
		if (planned_of[i] && add_schema(making, document, &making->set->schema[i],
						class_of_planned[planned_of[i] - 1],
						&making->planned[planned_of[i] - 1]))
			return -1;
	return 0;
}

static void add_finding(struct document *document, const struct remark *remark,
			const int *class_of_planned)
{
	struct doc_finding *finding = &document->finding[document->findings];
	int class = -1;
	size_t classes_left = 0;

	for (size_t c = 0; c < remark->classes; c++) {
		if (class_of_planned[remark->class[c]] < 0)
			continue;
		class = class_of_planned[remark->class[c]];
		classes_left++;
	}
	if (!remark->whole && !classes_left)
		return;
	finding->rule = remark->rule;
	finding->severity = remark->severity;
	finding->message = remark->message;
	finding->hint = remark->hint;
	finding->file = remark->file;
	finding->line = remark->line;
	finding->accepted = remark->accepted;
	finding->class_index = remark->whole || classes_left > 1 ? -1 : class;
	document->findings++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct doc_left_out *)a)->name,
		      ((const struct doc_left_out *)b)->name);
}

static void count(struct making *making, struct document *document)
{
	for (size_t p = 0; p < document->programs; p++)
		for (size_t s = 0; s < document->program[p].segments; s++) {
			const struct doc_segment *segment = &document->program[p].segment[s];

			document->shared_locks = document->shared_locks || segment->shared_locks;
			for (size_t i = 0; i < segment->statements; i++)
				making->plan->filtered +=
					segment->statement[i].does == DOC_FILTERED;
		}
	for (size_t c = 0; c < document->classes; c++) {
		const struct doc_program *program = &document->program[document->class[c].program];

		for (size_t s = 0; s < program->segments; s++)
			for (size_t i = 0; i < program->segment[s].statements; i++) {
				const struct doc_statement *statement =
					&program->segment[s].statement[i];
				int64_t schemas = (int64_t)document->class[c].schemas;

				document->statement_count +=
					statement->does == DOC_RUN ? schemas : 0;
				document->destructive_count +=
					statement->does == DOC_RUN && statement->destructive
						? schemas
						: 0;
			}
	}
}

int assemble_document(struct making *making, struct err *err)
{
	struct document *document = arena_alloc(making->arena, sizeof *document, err);
	int *class_of_planned =
		arena_array(making->arena, making->planneds, sizeof *class_of_planned, err);

	if (!document || !class_of_planned || settings(making, document, err) ||
	    history_tables(making, document, err) || waves(making, document, err) ||
	    classes(making, document, class_of_planned, err))
		return -1;
	document->finding =
		arena_array(making->arena, making->findings.count, sizeof *document->finding, err);
	if (!document->finding)
		return -1;
	for (size_t i = 0; i < making->findings.count; i++)
		add_finding(document, &making->findings.item[i], class_of_planned);
	if (making->left_outs)
		qsort(making->left_out, making->left_outs, sizeof *making->left_out, by_name);
	document->left_outs = making->left_outs;
	document->left_out = making->left_out;
	count(making, document);
	making->plan->document = document;
	return 0;
}
