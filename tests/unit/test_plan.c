/*
 * Planning on bundles whose snapshot rows are written here: the same bytes twice, what
 * document_load makes of them, segments, waves, reverting, and the time and memory for 10,000
 * schemas in a few classes.
 */
#include <sys/resource.h>
#include "bundle_fixture.h"
#include "clock.h"
#include "file.h"
#include "plan.h"
#include "sql.h"

#define CONF_HEAD \
	"[target]\nlabel = test-1\n[shared]\nschema = public\nonly = users\n" \
	"[tenants]\npattern = tenant_*\n%s\n[migrations]\ndir = migrations\nlayout = " \
	"golang-migrate\n"

struct made {
	struct bundle *bundle;
	struct conf *conf;
	struct arena *arena;
	struct source source;
	struct class_set *set;
	struct plan *plan;
};

static void write_file(const char *path, const char *text)
{
	struct err err = ERR_INIT;

	OK(file_create(path, 0600, text, strlen(text), &err));
}

static void write_migrations(void)
{
	cr_assert_eq(mkdir("migrations", 0700), 0);
	write_file("migrations/1_first.up.sql",
		   "CREATE TABLE users (id int PRIMARY KEY);\nCREATE TABLE a (id int);\n");
	write_file("migrations/1_first.down.sql", "DROP TABLE a;\nDROP TABLE users;\n");
	write_file("migrations/2_second.up.sql",
		   "SET work_mem = '64MB';\nALTER TABLE a ADD COLUMN x int;\n");
	write_file("migrations/2_second.down.sql", "ALTER TABLE a DROP COLUMN x;\n");
	write_file("migrations/3_third.up.sql",
		   "BEGIN;\nCREATE TABLE b (u int REFERENCES users (id));\nCOMMIT;\n");
	write_file("migrations/3_third.down.sql", "DROP TABLE b;\n");
}

static void put_target(struct db *db, const char *conf)
{
	struct err err = ERR_INIT;
	struct db_query *query = NULL;
	struct digest configuration, facts;

	OK(object_put(db, "configuration", conf, strlen(conf), &configuration, &err));
	OK(object_put(db, "facts", "{}", 2, &facts, &err));
	OK(db_prepare(db,
		      "INSERT INTO target VALUES (1, 'test-1', '7000', 5, 'app', 150018, 0, "
		      "'public', ?1, ?2)",
		      &query, &err));
	db_bind_blob(query, 1, configuration.bytes, DIGEST_SIZE);
	db_bind_blob(query, 2, facts.bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
}

struct row {
	const char *name, *scope, *state, *shape;
	int64_t oid;
};

static void put_schema(struct db *db, const struct row *row)
{
	struct err err = ERR_INIT;
	struct db_query *query = NULL;
	struct digest state, shape;

	if (row->oid) {
		OK(object_put(db, "state", row->state, strlen(row->state), &state, &err));
		OK(object_put(db, "shape", row->shape, strlen(row->shape), &shape, &err));
	}
	for (int i = 0; i < 2; i++) {
		OK(db_prepare(db, i ? sql_snapshot_schema : sql_snapshot_class, &query, &err));
		db_bind_int64(query, 1, 1);
		db_bind_text(query, 2, row->scope);
		if (row->oid) {
			db_bind_text(query, 3, strcmp(row->state, "none\n") ? "golang-migrate" : NULL);
			db_bind_blob(query, 4, state.bytes, DIGEST_SIZE);
			db_bind_blob(query, 5, shape.bytes, DIGEST_SIZE);
		}
		if (i) {
			db_bind_text(query, 6, row->name);
			db_bind_int64(query, 7, 1);
			db_bind_int64(query, 8, 1);
			for (int column = 10; column <= 12; column++)
				db_bind_int64(query, column, 0);
		}
		if (i && row->oid)
			db_bind_int64(query, 9, row->oid);
		OK(db_run(query, &err));
		db_finish(query);
	}
}

#define SHARED_SHAPE "[\"table\",\"users\",\"\",\"\",\"\",\"\"]\n"
#define SHAPE_A "[\"table\",\"a\",\"\",\"\",\"\",\"\"]\n"
#define SHAPE_AX \
	"[\"column\",\"x\",\"a\",\"\",\"integer\",\"\"]\n[\"table\",\"a\",\"\",\"\",\"\",\"\"]\n"

static void open_bundle(struct made *made, const char *more, const struct row *rows, size_t count,
			int alike)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	char conf[2000], name[40];

	memset(made, 0, sizeof *made);
	snprintf(conf, sizeof conf, CONF_HEAD, more);
	OK(bundle_edit("test.docket", NULL, true, &edit, &err));
	put_target(bundle_edit_db(edit), conf);
	for (size_t i = 0; i < count; i++)
		put_schema(bundle_edit_db(edit), &rows[i]);
	for (int i = 0; i < alike; i++) {
		struct row row = { name, "tenant",
				   i % 3 ? "golang-migrate\n1 f\n" : "golang-migrate\n2 f\n",
				   i % 3 ? SHAPE_A : SHAPE_AX, 100000 + i };

		snprintf(name, sizeof name, "tenant_%06d", i);
		put_schema(bundle_edit_db(edit), &row);
	}
	OK(bundle_edit_commit(edit, &err));
	OK(bundle_open("test.docket", &made->bundle, &err));
	OK(conf_parse("pgdocket.conf", conf, strlen(conf), &made->conf, &err));
	made->arena = arena_new(64u << 20);
	OK(source_load(made->arena, "migrations", "golang-migrate", &made->source, &err));
	OK(classes_read(bundle_db(made->bundle), &made->source, &made->set, &err));
}

static struct plan_request request_of(const struct made *made)
{
	struct plan_request request = { .conf = made->conf,
					.source = &made->source,
					.set = made->set,
					.scope = SQL_SCOPE_ALL };

	return request;
}

static void close_bundle(struct made *made)
{
	plan_free(made->plan);
	classes_free(made->set);
	arena_free(made->arena);
	conf_free(made->conf);
	bundle_close(made->bundle);
}

static void store(struct made *made, const char *path, struct digest *document, int64_t *size)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	struct plan_terms terms = { 1763798400000000, 1763798400000000, 1764403200000000, "CHG1" };
	struct plan_statement statement;
	struct digest id;

	OK(bundle_edit(path, made->bundle, false, &edit, &err));
	OK(plan_store(made->plan, bundle_edit_db(edit), &terms, &statement, &id, &err));
	OK(bundle_edit_commit(edit, &err));
	*document = statement.document;
	*size = statement.document_size;
	cr_expect_eq(statement.schemas, (int64_t)made->plan->document->schemas);
}

static const struct row fleet[] = {
	{ "public", "shared", "golang-migrate\n1 f\n", SHARED_SHAPE, 2200 },
	{ "tenant_a", "tenant", "golang-migrate\n1 f\n", SHAPE_A, 11 },
	{ "tenant_b", "tenant", "golang-migrate\n1 f\n", SHAPE_A, 12 },
	{ "tenant_c", "tenant", "golang-migrate\n2 f\n", SHAPE_AX, 13 },
	{ "tenant_d", "tenant", "golang-migrate\n1 f\n", SHAPE_AX, 14 },
	{ "tenant_n", "tenant", NULL, NULL, 0 },
};
#define FLEET (sizeof fleet / sizeof fleet[0])

TestSuite(plan, .init = scratch_make, .fini = scratch_drop);

Test(plan, document_holds_what_was_planned)
{
	struct err err = ERR_INIT;
	struct made made;
	struct plan_request request;
	struct bundle *again = NULL;
	struct document *document = NULL;
	struct digest digest;
	int64_t size;

	write_migrations();
	open_bundle(&made, "create = yes\nonly = a, b", fleet, FLEET, 0);
	request = request_of(&made);
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 0, "%s",
		     made.plan->problems ? made.plan->problem[0].message : "");
	store(&made, "new.docket", &digest, &size);
	OK(bundle_open("new.docket", &again, &err));
	OK(document_load(bundle_db(again), &digest, size, &document, &err));
	cr_expect_eq(document->schemas, FLEET);
	cr_expect_eq(document->classes, 5);  /* public, c, a+b, d (drifted), n */
	cr_expect_eq(document->programs, 4); /* a+b and d run the same */
	cr_expect_eq(document->statement_count, made.plan->document->statement_count);
	cr_expect_eq(document->destructive_count, 0);
	cr_expect(document->shared_locks);
	cr_expect_str_eq(document->wave[0].name, "shared");
	cr_expect_eq(document->wave[0].schemas, 1);
	document_free(document);
	bundle_close(again);
	close_bundle(&made);
}

static size_t count(const struct doc_program *program, enum doc_does does)
{
	size_t found = 0;

	for (size_t s = 0; s < program->segments; s++)
		for (size_t i = 0; i < program->segment[s].statements; i++)
			found += program->segment[s].statement[i].does == does;
	return found;
}

static const struct doc_program *program_of(const struct document *document, const char *schema)
{
	for (size_t i = 0; i < document->schemas; i++)
		if (!strcmp(document->schema[i].name, schema))
			return &document->program[document->class[document->schema[i].class_index]
							  .program];
	cr_assert(false, "no schema %s", schema);
	return NULL;
}

Test(plan, programs_are_cut_and_filtered)
{
	struct err err = ERR_INIT;
	struct made made;
	struct plan_request request;
	const struct doc_program *program;

	write_migrations();
	open_bundle(&made, "create = yes\nonly = a, b", fleet, FLEET, 0);
	made.conf->per_migration = true;
	request = request_of(&made);
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 0);
	program = program_of(made.plan->document, "tenant_n");
	cr_expect_eq(program->segments, 3);
	cr_expect(program->segment[0].create_schema && !program->segment[1].create_schema);
	cr_expect_eq(program->segment[0].befores, 4); /* none, CREATE TABLE, LOCK, state */
	cr_expect_eq(program->segment[1].befores, 2);
	cr_expect_eq(count(program, DOC_FILTERED), 3); /* users, BEGIN, COMMIT */
	cr_expect_eq(count(program, DOC_SETTING), 1);
	cr_expect(program->segment[1].statement[0].rewritten);
	cr_expect_str_eq(program->segment[1].statement[2].step.text,
			 "SET LOCAL \"work_mem\" TO DEFAULT");
	cr_expect(program->segment[2].shared_locks);
	cr_expect_str_eq(program->segment[2].statement[1].lock[0], "public.users");
	cr_expect(
		digest_equal(&program->segment[0].state_after, &program->segment[1].state_before));
	program = program_of(made.plan->document, "public");
	cr_expect_eq(program->segments, 2);
	cr_expect_eq(count(program, DOC_RUN), 1); /* SET; a and b are for tenants only */
	close_bundle(&made);
}

Test(plan, same_input_same_bytes)
{
	struct err err = ERR_INIT;
	struct digest first, second;
	int64_t size;

	write_migrations();
	for (int i = 0; i < 2; i++) {
		struct made made;
		struct plan_request request;

		open_bundle(&made, "create = yes", fleet, FLEET, 50);
		request = request_of(&made);
		OK(plan_make(&request, &made.plan, &err));
		store(&made, i ? "second.docket" : "first.docket", i ? &second : &first, &size);
		close_bundle(&made);
	}
	cr_expect(digest_equal(&first, &second));
}

Test(plan, planning_a_planned_bundle_gives_the_same_bytes)
{
	struct err err = ERR_INIT;
	struct plan_request request;
	struct digest first, second;
	struct made made;
	int64_t size;

	write_migrations();
	open_bundle(&made, "create = yes", fleet, FLEET, 5);
	request = request_of(&made);
	OK(plan_make(&request, &made.plan, &err));
	store(&made, "first.docket", &first, &size);
	bundle_close(made.bundle);
	OK(bundle_open("first.docket", &made.bundle, &err));
	store(&made, "second.docket", &second, &size);
	cr_expect(digest_equal(&first, &second));
	close_bundle(&made);
}

Test(plan, reverts_newest_first_and_waves_backwards)
{
	struct err err = ERR_INIT;
	struct made made;
	struct plan_request request;
	const struct document *document;

	write_migrations();
	open_bundle(&made, "only = a, b\n[wave canary]\nschemas = tenant_c\n[plan]", fleet,
		    FLEET - 1, 0);
	request = request_of(&made);
	request.revert = 1;
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 0);
	document = made.plan->document;
	cr_expect_eq(document->schemas, 1, "only tenant_c has migration 2");
	cr_expect_str_eq(document->schema[0].name, "tenant_c");
	cr_expect_str_eq(document->wave[0].name, "rest");
	cr_expect_str_eq(document->wave[2].name, "shared");
	cr_expect_eq(document->schema[0].wave, 1);
	cr_expect(document->program[0].revert);
	plan_free(made.plan);
	request.revert = 0;
	request.revert_to = "none";
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 0);
	cr_expect_eq(made.plan->document->schemas, 5);
	cr_expect_str_eq(
		program_of(made.plan->document, "tenant_c")->segment[0].migration[0].version, "2");
	cr_expect_str_eq(
		program_of(made.plan->document, "tenant_c")->segment[0].migration[1].version, "1");
	cr_expect_eq(made.plan->document->destructive_count,
		     6); /* a in 4 tenants, column x in tenant_c, users in public */
	close_bundle(&made);
}

Test(plan, unfit_classes)
{
	static const struct row rows[] = {
		{ "public", "shared", "golang-migrate\n3 f\n", SHARED_SHAPE, 2200 },
		{ "tenant_a", "tenant", "golang-migrate\n1 f\n", SHAPE_A, 11 },
		{ "tenant_b", "tenant", "golang-migrate\n1 t\n", SHAPE_A, 12 },
		{ "tenant_c", "tenant", "golang-migrate\n9 f\n", SHAPE_A, 13 },
	};
	struct err err = ERR_INIT;
	struct plan_request request;
	struct made made;

	write_migrations();
	open_bundle(&made, "only = a, b", rows, 4, 0);
	request = request_of(&made);
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 2);
	cr_expect_str_eq(made.plan->problem[0].rule, "unknown");
	cr_expect_str_eq(made.plan->problem[0].who, "tenant_c");
	cr_expect_str_eq(made.plan->problem[1].rule, "dirty");
	plan_free(made.plan);
	request.skip_unfit = true;
	OK(plan_make(&request, &made.plan, &err));
	cr_assert_eq(made.plan->problems, 0);
	cr_expect_eq(made.plan->document->schemas, 1);
	cr_expect_eq(made.plan->document->left_outs, 3); /* public has nothing pending */
	close_bundle(&made);
}

Test(plan, usage)
{
	static const char *nothing[] = { "no_such_*" };
	struct err err = ERR_INIT;
	struct plan_request request;
	struct made made;

	write_migrations();
	open_bundle(&made, "", fleet, FLEET - 1, 0);
	request = request_of(&made);
	request.to = "99";
	FAILS(plan_make(&request, &made.plan, &err), ERR_USAGE);
	request = request_of(&made);
	request.revert_to = "99";
	FAILS(plan_make(&request, &made.plan, &err), ERR_USAGE);
	request = request_of(&made);
	request.to = "2";
	request.revert = 1;
	FAILS(plan_make(&request, &made.plan, &err), ERR_USAGE);
	request = request_of(&made);
	request.schemas = (struct conf_list){ 1, nothing };
	FAILS(plan_make(&request, &made.plan, &err), ERR_USAGE);
	err_clear(&err);
	request = request_of(&made);
	request.to = "1";
	OK(plan_make(&request, &made.plan, &err));
	cr_expect_eq(made.plan->pending_schemas, 0);
	cr_expect(made.plan->document == NULL);
	close_bundle(&made);
}

Test(plan, ten_thousand_schemas_in_a_few_classes)
{
	struct err err = ERR_INIT;
	struct plan_request request;
	struct rusage usage;
	struct digest digest;
	struct made made;
	int64_t size, started, took;

	write_migrations();
	open_bundle(&made, "only = a, b", fleet, 1, 10000);
	started = clock_monotonic_us();
	request = request_of(&made);
	OK(plan_make(&request, &made.plan, &err));
	store(&made, "new.docket", &digest, &size);
	took = clock_monotonic_us() - started;
	cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
	cr_expect_eq(made.plan->document->classes, 3);
	cr_expect_eq(made.plan->document->schemas, 10001);
	cr_expect(took < 2000000, "%lld us",
		  (long long)took); /* aim: 0.5 s; a busy machine may be slower */
	fprintf(stderr, "# plan of 10,000 schemas: %lld ms, document %lld bytes, %ld kB resident\n",
		(long long)took / 1000, (long long)size, usage.ru_maxrss);
	close_bundle(&made);
}
