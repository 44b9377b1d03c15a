/* Bundles: made, opened, edited, exported; what must not be replaced is not. */
#include "bundle_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

TestSuite(bundle, .init = scratch_make, .fini = scratch_drop, .timeout = 60);

static int files_here(void)
{
	FILE *pipe = popen("find . -mindepth 1 -maxdepth 1 -printf x | wc -c", "r");
	int count = -1;
	cr_assert_eq(fscanf(pipe, "%d", &count), 1);
	pclose(pipe);
	return count;
}

static int64_t count_of(const char *path, const char *sql)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	int64_t count = -1;
	OK(bundle_open(path, &bundle, &err));
	OK(db_value_int64(bundle_db(bundle), sql, &count, &err));
	bundle_close(bundle);
	return count;
}

Test(bundle, made_and_opened)
{
	struct stat st;
	bundle_make("a.docket", 3);
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM schema"), 3);
	cr_assert_eq(files_here(), 1);
	cr_assert_eq(stat("a.docket", &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(bundle, received_digest_and_path)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	char hex[DIGEST_HEX_SIZE], expected[80];
	bundle_make("a.docket", 3);
	OK(bundle_open("a.docket", &bundle, &err));
	digest_hex(bundle_digest(bundle), hex);
	FILE *pipe = popen("sha256sum a.docket", "r");
	cr_assert(fgets(expected, sizeof expected, pipe));
	pclose(pipe);
	cr_assert_eq(strncmp(hex, expected, 64), 0);
	cr_assert_str_eq(bundle_path(bundle), "a.docket");
	bundle_close(bundle);
}

Test(bundle, no_overwrite_unless_asked)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	bundle_make("a.docket", 1);
	FAILS(bundle_edit("a.docket", NULL, false, &edit, &err), ERR_IO);
	err_clear(&err);
	OK(bundle_edit("a.docket", NULL, true, &edit, &err));
	OK(bundle_edit_commit(edit, &err));
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM schema"), 0);
	/* a file that comes into being while the edit is open */
	OK(bundle_edit("b.docket", NULL, false, &edit, &err));
	cr_assert_eq(system("echo mine > b.docket"), 0);
	FAILS(bundle_edit_commit(edit, &err), ERR_IO);
	cr_assert_eq(system("test \"$(cat b.docket)\" = mine"), 0);
	cr_assert_eq(files_here(), 2);
}

Test(bundle, edit_keeps_rows_and_mode)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *edit = NULL;
	struct stat st;
	bundle_make("a.docket", 5);
	cr_assert_eq(chmod("a.docket", 0640), 0);
	cr_assert_eq(chown("a.docket", 1234, 1235), 0);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	OK(db_exec(bundle_edit_db(edit), "DELETE FROM schema WHERE name > 'tenant_00002'", &err));
	OK(bundle_edit_commit(edit, &err));
	bundle_close(bundle);
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM schema"), 3);
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM object"), 5);
	cr_assert_eq(stat("a.docket", &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(st.st_uid, 1234);
	cr_assert_eq(st.st_gid, 1235);
	cr_assert_eq(files_here(), 1);
}

Test(bundle, deleted_rows_leave_nothing)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *edit = NULL;
	bundle_make("a.docket", 5000);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	OK(db_exec(bundle_edit_db(edit), "DELETE FROM schema", &err));
	OK(bundle_edit_commit(edit, &err));
	bundle_close(bundle);
	cr_assert_eq(count_of("a.docket", "PRAGMA freelist_count"), 0);
	cr_assert_neq(system("grep -q tenant_ a.docket"), 0);
}

Test(bundle, abort_leaves_all_as_it_was)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *edit = NULL;
	bundle_make("a.docket", 5);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	OK(db_exec(bundle_edit_db(edit), "DELETE FROM schema", &err));
	bundle_edit_abort(edit);
	bundle_close(bundle);
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM schema"), 5);
	cr_assert_eq(files_here(), 1);
}

static void edit_meets(const char *command)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *edit = NULL;
	bundle_make("a.docket", 5);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	OK(db_exec(bundle_edit_db(edit), "DELETE FROM schema", &err));
	cr_assert_eq(system(command), 0);
	FAILS(bundle_edit_commit(edit, &err), ERR_UNFIT);
	cr_assert(strstr(err.hint, "Run the command again"));
	bundle_close(bundle);
}

Test(bundle, edit_refused_when_touched) { edit_meets("touch -d 2001-01-01 a.docket"); }
Test(bundle, edit_refused_when_replaced) { edit_meets("cp -p a.docket b && mv b a.docket"); }
Test(bundle, edit_refused_when_gone) { edit_meets("rm a.docket"); }
Test(bundle, edit_refused_when_a_link) { edit_meets("mv a.docket b && ln -s b a.docket"); }
Test(bundle, edit_refused_when_content_changed)
{
	edit_meets("m=$(stat -c %y a.docket); printf x | dd of=a.docket bs=1 seek=5000 conv=notrunc 2>/dev/null; touch -d \"$m\" a.docket");
}

Test(bundle, edit_refused_while_locked)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *edit = NULL;
	bundle_make("a.docket", 5);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	int fd = open("a.docket", O_RDONLY);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	FAILS(bundle_edit_commit(edit, &err), ERR_UNFIT);
	close(fd);
	bundle_close(bundle);
	cr_assert_eq(files_here(), 1);
}

static struct db *working_copy(void)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct db *work = NULL;
	OK(bundle_open("a.docket", &bundle, &err));
	cr_assert_eq(mkdir("state", 0700), 0);
	OK(bundle_create_at("state/work", &work, &err));
	OK(db_begin(work, &err));
	OK(bundle_copy_rows(bundle_db(bundle), work, &err));
	OK(db_commit(work, &err));
	bundle_close(bundle);
	return work;
}

/* What two copies of one plan have both gained; the same again changes nothing. */
Test(bundle, united)
{
	static const char mine[] = "INSERT INTO run VALUES ('r1', x'00', 5);"
							   "INSERT INTO receipt VALUES ('r1', 0, x'aa', NULL)";
	struct err err = ERR_INIT;
	struct db *other = NULL;
	int64_t n = 0;
	bundle_make("a.docket", 5);
	struct db *work = working_copy();
	OK(bundle_create_at("state/other", &other, &err));
	OK(db_exec(other, mine, &err));
	OK(db_exec(other, "INSERT INTO signature VALUES (x'01', x'02', 'n', x'03', x'04')", &err));
	for (int i = 0; i < 2; i++) {
		OK(bundle_unite(other, work, &err));
		OK(db_value_int64(work, "SELECT count(*) + (SELECT count(*) FROM signature) FROM receipt "
								"JOIN run USING (run)", &n, &err));
		cr_assert_eq(n, 2);
	}
	OK(db_exec(other, "UPDATE receipt SET body = x'bb'", &err));
	FAILS(bundle_unite(other, work, &err), ERR_REFUSED);
	cr_assert_str_eq(err.reason, "audit");
	bundle_close_db(other);
	bundle_close_db(work);
}

Test(bundle, exported_over_the_bundle)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	bool diverted = true;
	bundle_make("a.docket", 5);
	struct db *work = working_copy();
	OK(bundle_open("a.docket", &bundle, &err));
	OK(db_exec(work, "INSERT INTO run VALUES ('r1', x'00', 5)", &err));
	OK(bundle_export("state/work", "a.docket", bundle, "a.docket.r1.results", &diverted, &err));
	cr_assert_not(diverted);
	cr_assert_eq(count_of("a.docket", "SELECT count(*) FROM run"), 1);
	cr_assert_eq(files_here(), 2);
	/* the bundle is another file now: a second export from the same reading goes elsewhere */
	OK(bundle_export("state/work", "a.docket", bundle, "a.docket.r1.results", &diverted, &err));
	cr_assert(diverted);
	cr_assert_eq(count_of("a.docket.r1.results", "SELECT count(*) FROM run"), 1);
	bundle_close(bundle);
	bundle_close_db(work);
}

Test(bundle, exported_to_a_new_file)
{
	struct err err = ERR_INIT;
	bool diverted = true;
	bundle_make("a.docket", 5);
	struct db *work = working_copy();
	OK(bundle_export("state/work", "receipt.docket", NULL, NULL, &diverted, &err));
	cr_assert_eq(count_of("receipt.docket", "SELECT count(*) FROM schema"), 5);
	FAILS(bundle_export("state/work", "no/such/place", NULL, NULL, &diverted, &err), ERR_IO);
	bundle_close_db(work);
}

Test(bundle, working_copy_reopened_after_a_kill)
{
	struct err err = ERR_INIT;
	bundle_make("a.docket", 5);
	bundle_close_db(working_copy());
	pid_t pid = fork();
	if (pid == 0) {
		struct db *db = NULL;
		if (bundle_reopen_at("state/work", &db, &err) || db_begin(db, &err) || db_exec(db, "DELETE FROM schema", &err) ||
		    db_exec(db, "PRAGMA cache_spill = 1; PRAGMA cache_size = 1", &err))
			_exit(1);
		for (int i = 0; i < 300; i++)
			if (db_exec(db, "INSERT INTO object VALUES (randomblob(32), 'state', 1, randomblob(3000))", &err))
				_exit(1);
		_exit(0); /* without commit or close: a hot journal stays */
	}
	int status = 0;
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert_eq(access("state/work-journal", F_OK), 0);
	struct db *db = NULL;
	int64_t rows = 0;
	OK(bundle_reopen_readonly_at("state/work", &db, &err));
	OK(db_value_int64(db, "SELECT count(*) FROM schema", &rows, &err));
	cr_assert_eq(rows, 5);
	FAILS(db_exec(db, "DELETE FROM schema", &err), ERR_IO);
	bundle_close_db(db);
	err_clear(&err);
	OK(bundle_reopen_at("state/work", &db, &err));
	bundle_close_db(db);
	FAILS(bundle_create_at("state/work", &db, &err), ERR_IO);
}

Test(bundle, snapshot_digest_by_hand)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct digest digest, again;
	char hex[DIGEST_HEX_SIZE];
	bundle_make("a.docket", 50);
	OK(bundle_open("a.docket", &bundle, &err));
	OK(bundle_snapshot_digest(bundle_db(bundle), &digest, &err));
	struct bundle_edit *edit = NULL;
	OK(bundle_edit("a.docket", bundle, false, &edit, &err));
	OK(bundle_snapshot_digest(bundle_edit_db(edit), &again, &err));
	cr_assert(digest_equal(&digest, &again));
	OK(db_exec(bundle_edit_db(edit), "UPDATE schema SET active = 0 WHERE name = 'tenant_00007'", &err));
	OK(bundle_snapshot_digest(bundle_edit_db(edit), &again, &err));
	cr_assert_not(digest_equal(&digest, &again));
	bundle_edit_abort(edit);
	bundle_close(bundle);
	digest_hex(&digest, hex);
	cr_assert_eq(strspn(hex, "0123456789abcdef"), 64);
}

Test(bundle, reading_allows_nothing_else)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	static const char *const denied[] = {
		"CREATE TABLE x (a)", "DELETE FROM schema", "ATTACH ':memory:' AS m", "PRAGMA writable_schema = 1",
		"SELECT load_extension('x')", "SELECT randomblob(10)", "PRAGMA journal_mode = WAL", "CREATE TEMP TABLE x (a)",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c",
	};
	bundle_make("a.docket", 5);
	OK(bundle_open("a.docket", &bundle, &err));
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
		err_clear(&err);
		cr_assert_eq(db_exec(bundle_db(bundle), denied[i], &err), -1, "%s", denied[i]);
	}
	bundle_close(bundle);
}

Test(bundle, names_that_look_like_something_else)
{
	static const char *const names[] = { "file:b?vfs=unix-dotfile", "a%20b", "a?mode=memory", "a#b", "a\nb", "-rf", ":memory:", "\xff" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		bundle_make(names[i], 2);
		cr_assert_eq(access(names[i], F_OK), 0);
		cr_assert_eq(count_of(names[i], "SELECT count(*) FROM schema"), 2);
	}
	cr_assert_eq(files_here(), (int)(sizeof names / sizeof *names));
}
