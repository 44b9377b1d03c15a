/* Loads a plan document: bytes, digest, JSON, structs, what must hold between the parts, objects.
 * It reads only bytes whose digest and length were stated to it, and judges no signature. */
#include "document.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document_inside.h"

#define DOCUMENT_ARENA_BYTES (192u << 20)

struct document_whole {
	struct document document; /* first: callers hold a pointer to it */
	struct arena *arena;
	struct document_objects objects;
};

static int steps_each(struct doc_step *step, size_t count, const char *what, doc_visit *visit,
	void *context, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (visit(context, &step[i], what, (int)i + 1, err))
			return -1;
	return 0;
}

static int segment_each(
	struct doc_segment *segment, doc_visit *visit, void *context, struct err *err)
{
	if (steps_each(segment->before, segment->befores, "step before the statements", visit, context,
			err))
		return -1;
	for (size_t i = 0; i < segment->statements; i++)
		if (visit(context, &segment->statement[i].step,
				segment->statement[i].does == DOC_FILTERED ? NULL : "statement",
				segment->statement[i].number, err))
			return -1;
	if (steps_each(
			&segment->alone.probe, segment->alone.has_probe, "probe", visit, context, err))
		return -1;
	return steps_each(
		segment->after, segment->afters, "step behind the statements", visit, context, err);
}

int document_each_step(
	struct document *document, doc_visit *visit, void *context, struct err *err)
{
	for (size_t i = 0; i < document->programs; i++)
		for (size_t j = 0; j < document->program[i].segments; j++)
			if (segment_each(&document->program[i].segment[j], visit, context, err))
				return err_context(
					err, "program %d, segment %zu", document->program[i].number, j + 1);
	for (size_t i = 0; i < document->classes; i++)
		if (visit(context, &document->class[i].read_state, "the state query of class",
				document->class[i].number, err))
			return -1;
	return visit(context, &document->shape_query, "the shape query of target",
		document->target_number, err);
}

static int fill_text(
	void *context, struct doc_step *step, const char *what, int number, struct err *err)
{
	const struct document_object *object = document_objects_find(context, &step->text_digest);
	(void)what, (void)number;
	if (!object || !object->text)
		return err_set(err, ERR_BUG, "the text of a statement was not kept");
	step->text = object->text;
	step->text_len = (size_t)object->size;
	return 0;
}

static int check_class(struct document *document, size_t index, struct err *err)
{
	const struct doc_class *class = &document->class[index];
	if ((size_t) class->program >= document->programs)
		return err_set(err, ERR_FORMAT, "class %d has a program that is not there", class->number);
	if (index && class->number <= document->class[index - 1].number)
		return err_set(err, ERR_FORMAT, "classes are not numbered upwards");
	const struct doc_program *program = &document->program[class->program];
	if (!digest_equal(&program->segment[0].state_before, &class->state_before) ||
		!digest_equal(&program->segment[program->segments - 1].state_after, &class->state_after))
		return err_set(err, ERR_FORMAT,
			"the program of class %d does not lead from its state before to its state after",
			class->number);
	if (program->segment[0].create_schema == class->has_shape_before)
		return err_set(err, ERR_FORMAT,
			"class %d has a shape before and its program makes the schema, or neither",
			class->number);
	return 0;
}

static int check_schema(struct document *document, const struct doc_schema *schema, struct err *err)
{
	if ((size_t)schema->class_index >= document->classes || (size_t)schema->wave >= document->waves)
		return err_set(
			err, ERR_FORMAT, "schema %s has a class or a wave that is not there", schema->name);
	struct doc_class *class = &document->class[schema->class_index];
	if (class->has_shape_before == (schema->oid == 0))
		return err_set(err, ERR_FORMAT,
			"schema %s has no oid and is not to be made, or has one and is", schema->name);
	class->schemas++;
	document->wave[schema->wave].schemas++;
	return 0;
}

static int order_name(const void *a, const void *b)
{
	return strcmp(
		(*(struct doc_schema *const *)a)->name, (*(struct doc_schema *const *)b)->name);
}

/* Schemas that are still to be made have no oid, and are never alike. */
static int order_oid(const void *a, const void *b)
{
	const struct doc_schema *left = *(struct doc_schema *const *)a,
							*right = *(struct doc_schema *const *)b;
	if (left->oid == right->oid)
		return left->oid ? 0 : (left > right) - (left < right);
	return left->oid > right->oid ? 1 : -1;
}

/* Sort; the first of two that are alike, NULL: there are none. */
static struct doc_schema **find_alike(
	struct doc_schema **list, size_t count, int (*order)(const void *, const void *))
{
	qsort(list, count, sizeof *list, order);
	for (size_t i = 1; i < count; i++)
		if (order(&list[i - 1], &list[i]) == 0)
			return &list[i - 1];
	return NULL;
}

static int check_schemas(struct document *document, struct err *err)
{
	struct doc_schema **list = calloc(document->schemas, sizeof *list), **two;
	int rc = list ? 0 : err_nomem(err);
	for (size_t i = 0; !rc && i < document->schemas; i++) {
		list[i] = &document->schema[i];
		rc = check_schema(document, list[i], err);
	}
	if (!rc && (two = find_alike(list, document->schemas, order_name)))
		rc = err_set(err, ERR_FORMAT, "schema %s stands twice", two[0]->name);
	if (!rc && (two = find_alike(list, document->schemas, order_oid)))
		rc = err_set(
			err, ERR_FORMAT, "schemas %s and %s have one oid", two[0]->name, two[1]->name);
	free(list);
	return rc;
}

static int check_parts(struct document *document, struct err *err)
{
	for (size_t i = 1; i < document->programs; i++)
		if (document->program[i].number <= document->program[i - 1].number)
			return err_set(err, ERR_FORMAT, "programs are not numbered upwards");
	for (size_t i = 0; i < document->classes; i++)
		if (check_class(document, i, err))
			return -1;
	for (size_t i = 0; i < document->findings; i++)
		if (document->finding[i].class_index >= (int64_t)document->classes)
			return err_set(err, ERR_FORMAT, "a finding is about a class that is not there");
	return check_schemas(document, err);
}

/* Statements that run, as the plan statement counts them: no settings, guards or history rows. */
static void count_program(const struct doc_program *program, int64_t *statements,
	int64_t *destructive, bool *shared_locks)
{
	for (size_t i = 0; i < program->segments; i++) {
		const struct doc_segment *segment = &program->segment[i];
		*shared_locks |= segment->shared_locks;
		for (size_t j = 0; j < segment->statements; j++) {
			*statements += segment->statement[j].does == DOC_RUN;
			*destructive += segment->statement[j].does == DOC_RUN &&
				segment->statement[j].destructive;
		}
	}
}

static void count_document(struct document *document)
{
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];
		int64_t statements = 0, destructive = 0;
		count_program(
			&document->program[class->program], &statements, &destructive, &document->shared_locks);
		document->statement_count += statements * (int64_t) class->schemas;
		document->destructive_count += destructive * (int64_t) class->schemas;
	}
}

static int load_bytes(
	struct db *bundle, const struct digest *digest, int64_t size, char **out, struct err *err)
{
	struct object_facts facts;
	size_t len = 0;
	if (object_facts(bundle, digest, &facts, err))
		return -1;
	if (facts.size != size)
		return err_set(err, ERR_FORMAT, "it has %lld bytes where %lld are stated",
			(long long)facts.size, (long long)size);
	return object_get(bundle, digest, "document", out, &len, err);
}

static int load_whole(struct db *bundle, struct document_whole *whole, const struct digest *digest,
	const char *text, size_t len, struct err *err)
{
	struct json *root = NULL;
	if (json_parse(bundle, whole->arena, text, len, &root, err) ||
		document_fields_read(whole->arena, root, digest, &whole->document, &whole->objects, err) ||
		check_parts(&whole->document, err))
		return -1;
	count_document(&whole->document);
	return 0;
}

static int load_fail(const char *reason, struct err *err)
{
	if (!err->reason[0])
		snprintf(err->reason, sizeof err->reason, "%s", reason);
	err_context(err, "plan document");
	return err_hint(err,
		"The bundle was damaged or altered after it was planned: get it again from the planner.");
}

int document_load(struct db *bundle, const struct digest *digest, int64_t size,
	struct document **out, struct err *err)
{
	struct arena *arena = arena_new(DOCUMENT_ARENA_BYTES);
	struct document_whole *whole = arena ? arena_alloc(arena, sizeof *whole, err) : NULL;
	char *text = NULL;
	int rc = -1;
	if (!whole) {
		err_nomem(err);
		goto out;
	}
	whole->arena = arena;
	if (load_bytes(bundle, digest, size, &text, err) ||
		load_whole(bundle, whole, digest, text, (size_t)size, err)) {
		load_fail("document", err);
		goto out;
	}
	free(text);
	text = NULL;
	if (document_objects_load(bundle, arena, &whole->objects, err) ||
		document_each_step(&whole->document, fill_text, &whole->objects, err)) {
		load_fail("object", err);
		goto out;
	}
	*out = &whole->document;
	arena = NULL;
	rc = 0;
out:
	free(text);
	arena_free(arena);
	return rc;
}

void document_free(struct document *document)
{
	if (document)
		arena_free(((struct document_whole *)document)->arena);
}
