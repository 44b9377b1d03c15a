/*
 * Bundles from outside that want to do harm (FAULTS.md, group B): each is refused with exit code 3 and a reason, or says exactly what it
 * said before. The plan in them is unsigned here; what the signature covers is checked through document and snapshot digest.
 */
#include "document_fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(hostile, .init = scratch_make, .fini = scratch_drop, .timeout = 120);

static struct digest plan, snapshot;
static int64_t plan_size;

static void planned(const char *path)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	OK(bundle_edit(path, NULL, true, &edit, &err));
	bundle_fill(bundle_edit_db(edit), 40);
	document_text(bundle_edit_db(edit), 40, &json);
	document_store(bundle_edit_db(edit), &json, "signed bytes", 12, &plan);
	OK(bundle_snapshot_digest(bundle_edit_db(edit), &snapshot, &err));
	OK(bundle_edit_commit(edit, &err));
	plan_size = (int64_t)json.len;
	buf_release(&json);
}

static int statement_same(struct db *db, struct err *err)
{
	struct db_query *query = NULL;
	const void *bytes = NULL;
	size_t len = 0;
	bool row = false;
	int rc = -1;
	if (db_prepare(db, "SELECT statement FROM plan", &query, err) == 0 && db_step(query, &row, err) == 0 && row &&
	    db_get_blob(query, 0, &bytes, &len, err) == 0 && len == 12 && memcmp(bytes, "signed bytes", 12) == 0)
		rc = 0;
	else
		err_set(err, ERR_REFUSED, "another statement");
	db_finish(query);
	return rc;
}

/* 0: reads as it was signed; -1: refused, with err. */
static int reads(const char *path, struct err *err)
{
	struct bundle *bundle = NULL;
	struct document *document = NULL;
	struct digest found;
	int rc = -1;
	if (bundle_open(path, &bundle, err) || statement_same(bundle_db(bundle), err) ||
	    document_load(bundle_db(bundle), &plan, plan_size, &document, err) ||
	    bundle_snapshot_digest(bundle_db(bundle), &found, err))
		goto out;
	rc = digest_equal(&found, &snapshot) ? 0 : err_set(err, ERR_REFUSED, "another snapshot");
	if (rc == 0)
		cr_assert_eq(document->statement_count, 80);
out:
	document_free(document);
	bundle_close(bundle);
	return rc;
}

static void refused(const char *path, const char *why)
{
	struct err err = ERR_INIT;
	cr_assert_eq(reads(path, &err), -1, "%s: accepted", why);
	cr_assert_eq(err_exit_status(&err), 3, "%s: code %d: %s", why, (int)err.code, err.message);
	cr_assert(err.message[0], "%s", why);
}

static char *load(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	cr_assert(file);
	char *bytes = malloc(8u << 20);
	*len = fread(bytes, 1, 8u << 20, file);
	fclose(file);
	return bytes;
}

static void save(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");
	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

Test(hostile, truncated_at_every_512_bytes)
{
	size_t len;
	planned("a");
	char *bytes = load("a", &len);
	for (size_t at = 0; at < len; at += 512) {
		save("b", bytes, at);
		refused("b", "truncated");
	}
	free(bytes);
}

Test(hostile, appended_bytes)
{
	size_t len;
	planned("a");
	char *bytes = load("a", &len);
	memset(bytes + len, 0, 4096);
	save("b", bytes, len + 1);
	refused("b", "one byte more");
	save("b", bytes, len + 4096);
	refused("b", "one page more");
	bytes[31]++;
	save("b", bytes, len + 4096);
	refused("b", "one page more, also in the header");
	free(bytes);
}

Test(hostile, every_header_byte)
{
	size_t len;
	struct err err = ERR_INIT;
	planned("a");
	char *bytes = load("a", &len);
	for (int at = 0; at < 100; at++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[at] ^= (char)(1 << bit);
			save("b", bytes, len);
			err_clear(&err);
			/* the schema cookie, the default cache size and SQLite's own version number mean nothing here */
			bool free_to_change = (at >= 40 && at <= 43) || (at >= 48 && at <= 51) || at >= 96;
			if (reads("b", &err) == 0)
				cr_assert(free_to_change, "byte %d bit %d accepted", at, bit);
			else
				cr_assert_eq(err_exit_status(&err), 3, "byte %d bit %d: %s", at, bit, err.message);
			bytes[at] ^= (char)(1 << bit);
		}
	free(bytes);
}

Test(hostile, newer_version_is_named)
{
	struct err err = ERR_INIT;
	size_t len;
	planned("a");
	char *bytes = load("a", &len);
	bytes[63] = 2;
	save("b", bytes, len);
	FAILS(reads("b", &err), ERR_VERSION);
	cr_assert(strstr(err.message, "needs version 2"), "%s", err.message);
	free(bytes);
}

static void wrong_file(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
	refused("b", command);
}

Test(hostile, other_files)
{
	wrong_file(": > b");
	wrong_file("printf x > b");
	wrong_file("yes 'not a bundle' | head -c 100000 > b");
	wrong_file("head -c 65536 /dev/urandom > b");
	wrong_file("rm b; sqlite3 b 'CREATE TABLE t(a)'");
	wrong_file("rm b; sqlite3 b 'PRAGMA application_id = 1885824107; PRAGMA user_version = 1; CREATE TABLE t(a)'");
	wrong_file("rm b; sqlite3 b 'PRAGMA encoding = UTF16; PRAGMA application_id = 1885824107; PRAGMA user_version = 1; CREATE TABLE t(a)'");
	wrong_file("rm b; sqlite3 b 'PRAGMA page_size = 512; PRAGMA application_id = 1885824107; PRAGMA user_version = 1; CREATE TABLE t(a)'");
	wrong_file("rm b; sqlite3 b 'PRAGMA page_size = 65536; PRAGMA application_id = 1885824107; PRAGMA user_version = 1; CREATE TABLE t(a)'");
	wrong_file("rm b; sqlite3 b 'PRAGMA auto_vacuum = 1; PRAGMA application_id = 1885824107; PRAGMA user_version = 1; CREATE TABLE t(a)'");
}

Test(hostile, kinds_of_file)
{
	struct err err = ERR_INIT;
	planned("a");
	cr_assert_eq(symlink("a", "b"), 0);
	refused("b", "symbolic link");
	cr_assert_eq(unlink("b"), 0);
	cr_assert_eq(mkfifo("b", 0600), 0);
	refused("b", "FIFO");
	cr_assert_eq(unlink("b"), 0);
	cr_assert_eq(mkdir("b", 0700), 0);
	refused("b", "directory");
	refused("/dev/zero", "device");
	cr_assert_eq(link("a", "c"), 0);
	refused("a", "hard link");
	FAILS(reads("nothing", &err), ERR_IO);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "s" };
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	FAILS(reads("s", &err), ERR_IO);
	close(fd);
}

Test(hostile, siblings)
{
	static const char *const siblings[] = { "a-journal", "a-wal", "a-shm" };
	planned("a");
	for (size_t i = 0; i < 3; i++) {
		save(siblings[i], "x", 1);
		refused("a", siblings[i]);
		cr_assert_eq(access(siblings[i], F_OK), 0);
		cr_assert_eq(unlink(siblings[i]), 0);
		cr_assert_eq(symlink("nowhere", siblings[i]), 0);
		refused("a", siblings[i]);
		cr_assert_eq(unlink(siblings[i]), 0);
	}
}

/* A journal with the name of a super-journal makes SQLite delete that file when it opens the database (TRUST.md, V12). */
Test(hostile, super_journal_canary)
{
	planned("a");
	cr_assert_eq(system("cat > make.py <<'X'\n"
	                    "import os,struct,shutil,sqlite3\n"
	                    "shutil.copy('a','dirty'); c=sqlite3.connect('dirty',isolation_level=None)\n"
	                    "c.execute('PRAGMA cache_size=1'); c.execute('PRAGMA cache_spill=1'); c.execute('BEGIN')\n"
	                    "c.execute(\"UPDATE schema SET rows=rows+1\"); c.executemany(\"INSERT INTO run VALUES(?,zeroblob(3000),1)\",[(str(i),) for i in range(50)])\n"
	                    "j=open('dirty-journal','rb').read(); d=open('dirty','rb').read(); os._exit if 0 else None\n"
	                    "open('a','wb').write(d); name=os.path.abspath('canary').encode(); ck=sum(name)&0xffffffff\n"
	                    "open('canary','w').write('precious')\n"
	                    "open('a-journal','wb').write(j+struct.pack('>I',0x40000000//4096+1)+name+struct.pack('>I',len(name))+struct.pack('>I',ck)+bytes([0xd9,0xd5,5,0xf9,0x20,0xa1,0x63,0xd7]))\n"
	                    "os._exit(0)\n"
	                    "X\n"
	                    "python3 make.py"),
	             0);
	cr_assert_eq(access("a-journal", F_OK), 0);
	refused("a", "super-journal");
	cr_assert_eq(access("canary", F_OK), 0);
	cr_assert_eq(access("a-journal", F_OK), 0);
}

/* Change the file with SQLite itself, all guards off; page_count and counters in the header stay right. */
static void altered(const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;
	cr_assert_eq(system("cp a b"), 0);
	cr_assert_eq(sqlite3_open("b", &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &message), SQLITE_OK, "%s: %s", sql, message);
	sqlite3_close(db);
	refused("b", sql);
}

Test(hostile, schema_is_compared_byte_for_byte)
{
	planned("a");
	altered("CREATE VIEW v AS SELECT 1");
	altered("ALTER TABLE plan RENAME TO p2; CREATE VIEW plan AS SELECT * FROM p2");
	altered("DROP TABLE run; CREATE VIEW run AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c");
	altered("CREATE TRIGGER t AFTER INSERT ON receipt BEGIN DELETE FROM plan; END");
	altered("CREATE TABLE extra (a)");
	altered("CREATE INDEX i ON schema (oid)");
	altered("ANALYZE");
	altered("CREATE VIRTUAL TABLE f USING fts3(a)");
	altered("CREATE VIRTUAL TABLE f USING rtree(a, b, c)");
	altered("CREATE VIRTUAL TABLE f USING dbstat(main)");
	altered("DROP TABLE run");
	altered("ALTER TABLE run ADD COLUMN extra TEXT");
	altered("ALTER TABLE run ADD COLUMN g INTEGER GENERATED ALWAYS AS (started + 1) VIRTUAL");
	altered("DROP TABLE run; CREATE TABLE run (\n run TEXT NOT NULL PRIMARY KEY,\n plan BLOB NOT NULL,\n started INTEGER NOT NULL "
	        "CHECK (started > 0)\n) STRICT, WITHOUT ROWID");
	altered("DROP TABLE run; CREATE TABLE run (\n run TEXT NOT NULL PRIMARY KEY,\n plan BLOB NOT NULL,\n started INTEGER NOT NULL "
	        "DEFAULT (random())\n) STRICT, WITHOUT ROWID");
	altered("DROP TABLE run; CREATE TABLE run (\n run TEXT NOT NULL PRIMARY KEY,\n plan BLOB NOT NULL,\n started INTEGER NOT NULL\n) STRICT");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, ' TEXT', '  TEXT') WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'text') WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = NULL WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'plan') "
	        "WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET tbl_name = 'plan' WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET type = 'view' WHERE name = 'run'");
	altered("PRAGMA writable_schema = 1; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (a)')");
	altered("PRAGMA journal_mode = WAL");
	altered("PRAGMA user_version = 2");
	altered("PRAGMA user_version = -1");
	altered("PRAGMA application_id = 7");
	altered("PRAGMA auto_vacuum = 1; VACUUM");
	altered("PRAGMA page_size = 8192; VACUUM");
}

Test(hostile, rows_that_were_not_signed)
{
	planned("a");
	altered("UPDATE schema SET active = 0 WHERE name = 'tenant_00003'");
	altered("DELETE FROM schema WHERE name = 'tenant_00003'");
	altered("INSERT INTO schema SELECT target, 'tenant_new', class, listed, active, 77, tables, rows, bytes FROM "
	        "schema WHERE name = 'tenant_00003'");
	altered("UPDATE schema SET name = 'tenant_00003' || char(0) || 'x' WHERE name = 'tenant_00003'");
	altered("UPDATE class SET shape = (SELECT configuration FROM target)");
	altered("UPDATE schema SET class = 7 WHERE name = 'tenant_00003'");
	altered("UPDATE target SET label = 'test'");
	altered("INSERT INTO object SELECT randomblob(32), kind, size, body FROM object LIMIT 1");
	altered("DELETE FROM object WHERE kind = 'migration'");
	altered("DELETE FROM object WHERE kind = 'facts'");
	altered("UPDATE object SET body = (SELECT body FROM object WHERE kind = 'query' LIMIT 1) WHERE kind = 'statement'");
	altered("UPDATE plan SET statement = x'00'");
	altered("DELETE FROM plan");
	/* against the types: STRICT is only as good as the text of the table */
	altered("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, ', ''), 'BLOB', 'ANY') WHERE name = 'plan'");
}

/* Values of another type than declared, made by taking STRICT away and putting it back. */
Test(hostile, wrong_storage_class)
{
	planned("a");
	cr_assert_eq(system("cat > make.py <<'X'\n"
	                    "import sqlite3,shutil\n"
	                    "shutil.copy('a','b'); c=sqlite3.connect('b',isolation_level=None); c.execute('PRAGMA writable_schema=1')\n"
	                    "s=c.execute(\"SELECT sql FROM sqlite_schema WHERE name='plan'\").fetchone()[0]\n"
	                    "c.execute(\"UPDATE sqlite_schema SET sql=? WHERE name='plan'\",(s.replace('STRICT, ','').replace('BLOB',''),)); c.close()\n"
	                    "c=sqlite3.connect('b',isolation_level=None); c.execute(\"UPDATE plan SET statement='signed bytes'\")\n"
	                    "c.execute('PRAGMA writable_schema=1'); c.execute(\"UPDATE sqlite_schema SET sql=? WHERE name='plan'\",(s,)); c.close()\n"
	                    "X\n"
	                    "python3 make.py"),
	             0);
	refused("b", "TEXT where BLOB is declared");
}

/* One flipped bit anywhere: refused, or reads exactly as it was signed. 5,000 of them with BITFLIPS=5000; a sample by default. */
Test(hostile, random_bit_flips)
{
	size_t len;
	const char *wanted = getenv("BITFLIPS");
	int flips = wanted ? atoi(wanted) : 400, kept = 0;
	planned("a");
	char *bytes = load("a", &len);
	srandom(20221122);
	for (int i = 0; i < flips; i++) {
		struct err err = ERR_INIT;
		size_t at = (size_t)random() % len;
		char bit = (char)(1 << random() % 8);
		bytes[at] ^= bit;
		save("b", bytes, len);
		if (reads("b", &err) == 0)
			kept++;
		else
			cr_assert(err.code != ERR_NONE && err.code != ERR_BUG, "byte %zu: %s", at, err.message);
		bytes[at] ^= bit;
	}
	fprintf(stderr, "# %d flips, %d read as signed\n", flips, kept);
	free(bytes);
}

Test(hostile, a_million_objects_are_no_burden)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	OK(bundle_edit("a", NULL, true, &edit, &err));
	OK(db_exec(bundle_edit_db(edit),
	           "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000) "
	           "INSERT INTO object SELECT randomblob(32), 'state', 1, x'00' FROM c",
	           &err));
	OK(bundle_edit_commit(edit, &err));
	refused("a", "many objects");
}

Test(hostile, replaced_while_it_is_read)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct digest found;
	planned("a");
	OK(bundle_open("a", &bundle, &err));
	cr_assert_eq(system("head -c 100000 /dev/urandom > a"), 0);
	OK(bundle_snapshot_digest(bundle_db(bundle), &found, &err));
	cr_assert(digest_equal(&found, &snapshot));
	bundle_close(bundle);
}

Test(hostile, nothing_is_left_in_tmp)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	char command[100];
	planned("a");
	OK(bundle_open("a", &bundle, &err));
	/* the private copy has no name any more: a killed process leaves none either */
	snprintf(command, sizeof command, "! ls -l /proc/%d/fd | grep bundle | grep -v deleted", (int)getpid());
	cr_assert_eq(system(command), 0);
	bundle_close(bundle);
}
