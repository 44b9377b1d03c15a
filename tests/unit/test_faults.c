/*
 * Every loop over failures, to its end: each allocation, each call of SQLite's on a file fails,
 * once and for ever, the disk is full, the process ends, the power goes. Whatever happens, files
 * are what they were or what they were to become, records stand there in whole batches, nothing
 * leaks (with AddressSanitizer), and the same done again without failures succeeds.
 *
 * STEP=n in the environment takes every n-th point, 1 all of them; without it a sample is taken.
 */
#include "signed_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "applier.h"
#include "../fault/fault.h"

#define RECORDS 5 /* of each batch, and the checkpoint */
#define BATCHES 3
#define RUN "0123456789abcdef0123456789abcdef"

static void setup(void)
{
	cr_assert_eq(fault_alloc_sqlite() || fault_vfs_register(), 0);
	signed_setup();
	fleet = 3;
	make_signed("plan.docket", &(struct signed_plan){ 0 });
}

static void teardown(void)
{
	signed_teardown();
}

TestSuite(files, .init = setup, .fini = teardown);
TestSuite(allocations, .init = setup, .fini = teardown);

/* --- what is done under failures; each may be done again behind a failure --- */

struct done { /* what the doer was told is durable; shared with a child that crashes */
	int batches;
};

static int verify(struct verified *out, struct err *err)
{
	return verify_bundle("plan.docket", trust, NULL, clock_now_us(), out, err);
}

static int do_verify(struct done *done, struct err *err)
{
	struct verified verified = { 0 };
	(void)done;
	int rc = verify(&verified, err);
	verify_release(&verified);
	return rc;
}

/* The planner's way: a new file with another's rows, then renamed. */
static int edit(const char *path, struct err *err)
{
	struct bundle *from = NULL;
	struct bundle_edit *edited = NULL;
	int rc = bundle_open("plan.docket", &from, err);
	if (!rc)
		rc = bundle_edit(path, from, true, &edited, err);
	if (!rc && db_exec(bundle_edit_db(edited), "UPDATE migration SET name = 'other'", err))
		bundle_edit_abort(edited);
	else if (!rc)
		rc = bundle_edit_commit(edited, err);
	bundle_close(from);
	return rc || err->code != ERR_NONE ? -1 : 0;
}

static int do_new(struct done *done, struct err *err)
{
	(void)done;
	return edit("new.docket", err);
}

static int do_replace(struct done *done, struct err *err)
{
	(void)done;
	return edit("plan.docket", err);
}

static int batch(struct recorder *recorder, int number, struct err *err)
{
	for (int i = 0; i < RECORDS; i++) {
		bool first = number == 0 && i == 0, last = number == BATCHES - 1 && i == RECORDS - 1;
		struct buf *record =
			recorder_begin(recorder, first ? "run-start" : last ? "run-end" : "segment");
		record_key_int64(record, "segment", i);
		if (recorder_add(recorder, err))
			return -1;
	}
	return recorder_flush(recorder, true, err);
}

/* The applier's way: import into the working copy, batches of records. */
static int record(struct run *run, struct done *done, struct err *err)
{
	int64_t runs = 0;
	if (workcopy_open(run, &run->workcopy, err) ||
		db_value_int64(workcopy_db(run->workcopy), "SELECT count(*) FROM run", &runs, err))
		return -1;
	snprintf(run->id, sizeof run->id, "%02d%s", (int)runs, RUN + 2);
	if (recorder_new(workcopy_db(run->workcopy), run->id, &run->verified.trust.plan, trust_host_key(trust),
			&run->recorder, err))
		return -1;
	for (int i = 0; i < BATCHES; i++) {
		if (batch(run->recorder, i, err)) {
			cr_assert(!recorder_sound(run->recorder), "batch %d failed and the next may be written", i);
			return -1;
		}
		done->batches++;
	}
	return 0;
}

static int with_run(struct done *done, int (*body)(struct run *run, struct done *done, struct err *err),
	struct err *err)
{
	struct run *run = calloc(1, sizeof *run);
	if (!run)
		return err_nomem(err);
	int rc = verify(&run->verified, err);
	run->options.state = "state";
	run->trust = trust;
	run->document = run->verified.document;
	rc = rc || body(run, done, err) ? -1 : 0;
	recorder_free(run->recorder);
	workcopy_close(run->workcopy);
	verify_release(&run->verified);
	free(run);
	return rc;
}

static int do_record(struct done *done, struct err *err)
{
	return with_run(done, record, err);
}

static int export(struct run *run, struct done *done, struct err *err)
{
	bool diverted = true;
	(void)done;
	if (workcopy_open(run, &run->workcopy, err) ||
		bundle_export(workcopy_path(run->workcopy), run->file ? run->file : "plan.docket",
			run->verified.bundle, NULL, &diverted, err))
		return -1;
	cr_assert(!diverted);
	return 0;
}

static int do_export(struct done *done, struct err *err)
{
	return with_run(done, export, err);
}

/* --- what must hold behind it --- */

static char workcopy[256]; /* its path */

static void locate_workcopy(void)
{
	struct err err = ERR_INIT;
	struct verified verified = { 0 };
	char hex[DIGEST_HEX_SIZE];
	OK(verify(&verified, &err));
	digest_hex(&verified.trust.plan, hex);
	snprintf(workcopy, sizeof workcopy, "state/prod/%.12s/work.docket", hex);
	verify_release(&verified);
}

static int64_t value(const char *path, const char *sql)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	int64_t out = 0;
	OK(bundle_open(path, &bundle, &err));
	OK(db_value_int64(bundle_db(bundle), sql, &out, &err));
	bundle_close(bundle);
	return out;
}

static void check_verify(const struct done *done)
{
	struct err err = ERR_INIT;
	OK(do_verify(NULL, &err));
	(void)done;
}

static void check_new(const struct done *done)
{
	(void)done;
	if (access("new.docket", F_OK) == 0)
		cr_assert_eq(value("new.docket", "SELECT count(*) FROM migration WHERE name = 'other'"), 1);
}

static void check_replace(const struct done *done)
{
	cr_assert_eq(value("plan.docket", "SELECT count(*) FROM migration"), 1);
	check_verify(done);
}

/* Whole batches, signed, and every one that was said to be durable. */
static void check_record(const struct done *done)
{
	struct err err = ERR_INIT;
	struct verified verified = { 0 };
	struct db *db = NULL;
	int64_t records = 0, unsigned_last = 0;
	OK(verify(&verified, &err));
	if (access(workcopy, F_OK) == 0) {
		OK(bundle_reopen_at(workcopy, &db, &err));
		OK(record_verify_chains(db, &verified.trust.plan, NULL, &err));
		OK(db_value_int64(db, "SELECT count(*) FROM receipt", &records, &err));
		OK(db_value_int64(db, "SELECT count(*) FROM receipt a WHERE signature IS NULL AND NOT EXISTS "
			"(SELECT 1 FROM receipt b WHERE b.run = a.run AND b.seq > a.seq)", &unsigned_last, &err));
		bundle_close_db(db);
	}
	cr_assert_eq(records % (RECORDS + 1), 0);
	cr_assert_geq(records / (RECORDS + 1), done->batches);
	cr_assert_leq(records / (RECORDS + 1), done->batches + 1);
	cr_assert_eq(unsigned_last, 0);
	verify_release(&verified);
}

static void check_export(const struct done *done)
{
	int64_t records = value("plan.docket", "SELECT count(*) FROM receipt");
	cr_assert(records == 0 || records == BATCHES * (RECORDS + 1));
	check_verify(done);
}

/* --- the sweeps --- */

struct sweep {
	const char *name;
	int (*act)(struct done *done, struct err *err);
	void (*check)(const struct done *done);
	bool recorded; /* the working copy holds a whole run before it begins */
};

static struct done *shared; /* of parent and child */

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t got = in < 0 || out < 0 ? -1 : read(in, bytes, sizeof bytes);
	cr_assert(got > 0 && (size_t)got < sizeof bytes && write(out, bytes, (size_t)got) == got, "%s to %s", from, to);
	close(in);
	close(out);
}

/* Files as they were before. In here rather than by a shell, since this is done some thousand times. */
static void prepare(void)
{
	struct dirent *entry;
	DIR *directory = opendir(".");
	memset(shared, 0, sizeof *shared);
	while ((entry = readdir(directory)))
		if (strstr(entry->d_name, ".docket") && !strstr(entry->d_name, "kept"))
			cr_assert_eq(unlink(entry->d_name), 0);
	closedir(directory);
	nftw("state", scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
	copy("kept.docket", "plan.docket");
	if (access("kept.work", F_OK) == 0) {
		mkdir("state", 0700);
		mkdir("state/prod", 0700);
		*strrchr(workcopy, '/') = '\0';
		mkdir(workcopy, 0700);
		workcopy[strlen(workcopy)] = '/';
		copy("kept.work", workcopy);
	}
}

/* True: it came to its end before its turn. */
static bool crash_at(const struct sweep *sweep, enum fault_kind kind, long at)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		struct err err = ERR_INIT;
		fault_arm(kind, at, false);
		_exit(sweep->act(shared, &err) ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert(WEXITSTATUS(status) == FAULT_EXIT || WEXITSTATUS(status) == 0, "%s, point %ld: exit %d",
		sweep->name, at, WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0;
}

static bool fail_at(const struct sweep *sweep, enum fault_kind kind, long at, bool forever)
{
	struct err err = ERR_INIT;
	fault_arm(kind, at, forever);
	int rc = sweep->act(shared, &err);
	bool over = fault_disarm() < at;
	cr_assert_eq(rc != 0, err.code != ERR_NONE, "%s, point %ld: %d, \"%s\"", sweep->name, at, rc, err.message);
	cr_assert(!over || rc == 0, "%s: failed without a failure: %s", sweep->name, err.message);
	if (rc) {
		cr_assert_neq(err.code, ERR_BUG, "%s, point %ld: %s", sweep->name, at, err.message);
		cr_assert(err.message[0]);
	}
	return over;
}

/* For sweep_files.bash: a line for each loop, at the end of the file that POINTS names. */
static void tell(const struct sweep *sweep, enum fault_kind kind, bool forever, long points)
{
	FILE *file = getenv("POINTS") ? fopen(getenv("POINTS"), "a") : NULL;
	if (!file)
		return;
	fprintf(file, "%s, %s%s: points=%ld\n", sweep->name,
		kind == FAULT_ALLOC ? "allocation" : kind == FAULT_FILE ? "I/O error" : kind == FAULT_FULL ? "disk full"
		: kind == FAULT_CRASH ? "crash" : "power cut", forever ? " for ever" : "", points);
	fclose(file);
}

static void sweep_in(const struct sweep *sweep, enum fault_kind kind, bool forever)
{
	const char *text = getenv("STEP");
	long step = text ? atol(text) : kind == FAULT_ALLOC ? 1999 : 29, at = 1, points = 0;
	bool over = false;
	for (; !over; at += step) {
		struct err err = ERR_INIT;
		prepare();
		over = kind & (FAULT_CRASH | FAULT_POWER) ? crash_at(sweep, kind, at) : fail_at(sweep, kind, at, forever);
		points += !over;
		sweep->check(shared);
		OK(sweep->act(shared, &err));
		cr_assert(access("plan.docket-journal", F_OK), "%s, point %ld: a journal is left", sweep->name, at);
	}
	tell(sweep, kind, forever, points);
}

static void sweep_start(const struct sweep *sweep)
{
	struct err err = ERR_INIT;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	copy("plan.docket", "kept.docket");
	locate_workcopy();
	if (sweep->recorded) {
		OK(do_record(shared, &err));
		copy(workcopy, "kept.work");
	}
}

static void sweep_files(const struct sweep *sweep)
{
	sweep_start(sweep);
	sweep_in(sweep, FAULT_FILE, false);
	sweep_in(sweep, FAULT_FILE, true);
	sweep_in(sweep, FAULT_FULL, false);
	sweep_in(sweep, FAULT_FULL, true);
	sweep_in(sweep, FAULT_CRASH, false);
	sweep_in(sweep, FAULT_POWER, false);
}

static void sweep_allocations(const struct sweep *sweep)
{
	sweep_start(sweep);
	sweep_in(sweep, FAULT_ALLOC, false);
	sweep_in(sweep, FAULT_ALLOC, true);
}

static const struct sweep verifying = { "verify", do_verify, check_verify, false },
	making = { "new file", do_new, check_new, false },
	replacing = { "replace", do_replace, check_replace, false },
	recording = { "record", do_record, check_record, false },
	exporting = { "export", do_export, check_export, true };

Test(files, verify) { sweep_files(&verifying); }
Test(files, new_file) { sweep_files(&making); }
Test(files, replace) { sweep_files(&replacing); }
Test(files, record) { sweep_files(&recording); }
Test(files, export) { sweep_files(&exporting); }

Test(allocations, verify) { sweep_allocations(&verifying); }
Test(allocations, new_file) { sweep_allocations(&making); }
Test(allocations, replace) { sweep_allocations(&replacing); }
Test(allocations, record) { sweep_allocations(&recording); }
Test(allocations, export) { sweep_allocations(&exporting); }

/* Every one: a record without memory is none, never one with less in it. */
Test(allocations, one_record)
{
	bool over = false;
	for (long at = 1; !over; at++) {
		struct err err = ERR_INIT;
		struct record_chain chain;
		struct buf body = BUF_INIT(RECORD_MAX_BYTES);
		struct digest plan = { { 0 } };
		record_chain_start(&chain, RUN, &plan);
		fault_arm(FAULT_ALLOC, at, false);
		record_begin(&chain, &body, "segment", clock_now_us());
		record_key(&body, "schema", "tenant 1");
		int rc = record_seal(&chain, &body, &err);
		over = fault_disarm() < at;
		cr_assert_eq(rc == 0, over, "allocation %ld: %.*s", at, (int)body.len, buf_text(&body));
		buf_release(&body);
	}
}
