/* statement: the tags that it announces, and what it says cannot run in a transaction block, against a real server. */
#include "pg_fixture.h"

#include <libpq-fe.h>
#include <string.h>
#include "statement.h"

/* Run in this order, each in autocommit. */
static const char *const statements[] = {
	"CREATE SCHEMA s",
	"SET search_path = s, public",
	"CREATE TABLE t (id bigserial PRIMARY KEY, a int, b text)",
	"CREATE TABLE IF NOT EXISTS t (id int)",
	"CREATE TABLE parted (a int) PARTITION BY LIST (a)",
	"CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1)",
	"CREATE TABLE part2 (a int)",
	"ALTER TABLE parted ATTACH PARTITION part2 FOR VALUES IN (2)",
	"ALTER TABLE parted DETACH PARTITION part2 CONCURRENTLY",
	"CREATE TABLE c1 AS SELECT 1 AS a",
	"CREATE TABLE c2 AS SELECT 1 AS a WITH NO DATA",
	"CREATE TABLE IF NOT EXISTS c3 AS SELECT 1 AS a",
	"CREATE TABLE IF NOT EXISTS c3 AS SELECT 1 AS a",
	"SELECT 1 AS a INTO c4",
	"INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
	"WITH w AS (SELECT 1 AS a) INSERT INTO t (a) SELECT a FROM w RETURNING a",
	"UPDATE t SET a = 3",
	"DELETE FROM t WHERE a = 99",
	"MERGE INTO t USING (SELECT 1 AS a) u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a)",
	"WITH d AS (DELETE FROM t WHERE a = 99 RETURNING *) SELECT * FROM d",
	"SELECT 1",
	"VALUES (1), (2)",
	"TABLE t",
	"SELECT set_config('a.b', 'c', false)",
	"ALTER TABLE t ADD COLUMN c int",
	"ALTER TABLE t DROP COLUMN c",
	"ALTER TABLE t RENAME COLUMN b TO bb",
	"ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
	"ALTER TABLE t RENAME CONSTRAINT k TO kk",
	"ALTER TABLE t ADD CONSTRAINT u UNIQUE (id, a)",
	"CREATE INDEX i ON t (a)",
	"CREATE INDEX CONCURRENTLY i2 ON t (a)",
	"ALTER INDEX i RENAME TO j",
	"ALTER TABLE j RENAME TO i",
	"REINDEX INDEX i",
	"REINDEX INDEX CONCURRENTLY i",
	"REINDEX TABLE t",
	"REINDEX (CONCURRENTLY) TABLE t",
	"REINDEX SCHEMA s",
	"REINDEX SYSTEM postgres",
	"CLUSTER t USING i",
	"CLUSTER",
	"DROP INDEX CONCURRENTLY i2",
	"DROP INDEX i",
	"CREATE SEQUENCE q OWNED BY t.a",
	"ALTER SEQUENCE q RESTART",
	"ALTER SEQUENCE q OWNER TO postgres",
	"ALTER SEQUENCE q RENAME TO q2",
	"SELECT setval('q2', 3)",
	"DROP SEQUENCE q2",
	"CREATE VIEW v AS SELECT a FROM t",
	"CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 1",
	"ALTER VIEW v RENAME COLUMN a TO aa",
	"ALTER VIEW v ALTER COLUMN aa SET DEFAULT 1",
	"ALTER VIEW v SET SCHEMA public",
	"DROP VIEW v",
	"CREATE MATERIALIZED VIEW m AS SELECT a FROM t",
	"CREATE MATERIALIZED VIEW m2 AS SELECT a FROM t WITH NO DATA",
	"CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT a FROM t",
	"REFRESH MATERIALIZED VIEW m",
	"ALTER MATERIALIZED VIEW m RENAME TO m3",
	"DROP MATERIALIZED VIEW m2, m3",
	"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
	"CREATE FUNCTION g(int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
	"ALTER FUNCTION g(int) IMMUTABLE",
	"ALTER FUNCTION g(int) RENAME TO h",
	"ALTER ROUTINE h(int) OWNER TO postgres",
	"CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN END $$",
	"ALTER PROCEDURE p() RESET ALL",
	"CALL p()",
	"DROP PROCEDURE p",
	"DROP FUNCTION h",
	"CREATE AGGREGATE ag(int) (SFUNC = int4pl, STYPE = int)",
	"ALTER AGGREGATE ag(int) RENAME TO ag2",
	"DROP AGGREGATE ag2(int)",
	"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
	"ALTER TRIGGER g ON t RENAME TO gg",
	"ALTER TABLE t DISABLE TRIGGER gg",
	"COMMENT ON TRIGGER gg ON t IS 'x'",
	"DROP TRIGGER gg ON t",
	"CREATE RULE r AS ON INSERT TO c1 DO INSTEAD NOTHING",
	"ALTER RULE r ON c1 RENAME TO rr",
	"DROP RULE rr ON c1",
	"CREATE POLICY po ON t USING (true)",
	"ALTER POLICY po ON t USING (false)",
	"ALTER POLICY po ON t RENAME TO pq",
	"DROP POLICY pq ON t",
	"CREATE STATISTICS z ON a, id FROM t",
	"ALTER STATISTICS z SET STATISTICS 100",
	"ALTER STATISTICS z RENAME TO zz",
	"DROP STATISTICS zz",
	"CREATE TYPE mood AS ENUM ('a')",
	"ALTER TYPE mood ADD VALUE 'b'",
	"ALTER TYPE mood RENAME VALUE 'b' TO 'c'",
	"ALTER TYPE mood RENAME TO mood2",
	"CREATE TYPE comp AS (a int)",
	"ALTER TYPE comp ADD ATTRIBUTE b int",
	"ALTER TYPE comp RENAME ATTRIBUTE b TO c",
	"CREATE TYPE ra AS RANGE (SUBTYPE = int)",
	"DROP TYPE mood2, comp, ra",
	"CREATE DOMAIN d AS text CONSTRAINT dk CHECK (VALUE <> '')",
	"ALTER DOMAIN d SET NOT NULL",
	"ALTER DOMAIN d RENAME CONSTRAINT dk TO dl",
	"COMMENT ON CONSTRAINT dl ON DOMAIN d IS 'x'",
	"DROP DOMAIN d",
	"COMMENT ON TABLE t IS 'x'",
	"COMMENT ON COLUMN t.a IS 'x'",
	"CREATE ROLE bob",
	"CREATE USER alice",
	"ALTER ROLE bob SET work_mem = '1MB'",
	"ALTER ROLE bob LOGIN",
	"ALTER ROLE bob RENAME TO robert",
	"GRANT robert TO alice",
	"REVOKE robert FROM alice",
	"GRANT SELECT ON t TO robert",
	"REVOKE SELECT ON t FROM robert",
	"GRANT SELECT ON ALL TABLES IN SCHEMA s TO robert",
	"ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO robert",
	"REASSIGN OWNED BY robert TO postgres",
	"DROP OWNED BY robert",
	"DROP ROLE robert, alice",
	"CREATE COLLATION co FROM \"C\"",
	"ALTER COLLATION co RENAME TO co2",
	"DROP COLLATION co2",
	"CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
	"ALTER OPERATOR === (int, int) SET (RESTRICT = eqsel)",
	"DROP OPERATOR === (int, int)",
	"CREATE OPERATOR FAMILY of USING btree",
	"ALTER OPERATOR FAMILY of USING btree RENAME TO of2",
	"DROP OPERATOR FAMILY of2 USING btree",
	"CREATE TEXT SEARCH CONFIGURATION tc (COPY = simple)",
	"ALTER TEXT SEARCH CONFIGURATION tc DROP MAPPING FOR word",
	"DROP TEXT SEARCH CONFIGURATION tc",
	"CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = simple)",
	"ALTER TEXT SEARCH DICTIONARY td (ACCEPT = false)",
	"DROP TEXT SEARCH DICTIONARY td",
	"CREATE CAST (xml AS int) WITH INOUT",
	"DROP CAST (xml AS int)",
	"CREATE PUBLICATION pub FOR TABLE t",
	"ALTER PUBLICATION pub ADD TABLE c1",
	"DROP PUBLICATION pub",
	"CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false)",
	"ALTER SUBSCRIPTION sub SET (slot_name = NONE)",
	"DROP SUBSCRIPTION sub",
	"CREATE FOREIGN DATA WRAPPER fw",
	"ALTER FOREIGN DATA WRAPPER fw OPTIONS (a 'b')",
	"CREATE SERVER sv FOREIGN DATA WRAPPER fw",
	"ALTER SERVER sv VERSION '1'",
	"CREATE USER MAPPING FOR postgres SERVER sv",
	"ALTER USER MAPPING FOR postgres SERVER sv OPTIONS (a 'b')",
	"CREATE FOREIGN TABLE ft (a int) SERVER sv",
	"ALTER FOREIGN TABLE ft ADD COLUMN b int",
	"DROP FOREIGN TABLE ft",
	"DROP USER MAPPING FOR postgres SERVER sv",
	"DROP SERVER sv",
	"DROP FOREIGN DATA WRAPPER fw",
	"ALTER DATABASE postgres SET work_mem = '4MB'",
	"CREATE DATABASE other",
	"ALTER DATABASE other CONNECTION LIMIT 5",
	"ALTER DATABASE other RENAME TO another",
	"DROP DATABASE another",
	"ALTER SYSTEM SET work_mem = '4MB'",
	"ALTER SYSTEM RESET ALL",
	"VACUUM t",
	"VACUUM (ANALYZE) t",
	"ANALYZE t",
	"CHECKPOINT",
	"DO $$ BEGIN END $$",
	"EXPLAIN SELECT 1",
	"SHOW work_mem",
	"SET a.b = 1",
	"RESET a.b",
	"RESET ALL",
	"SET search_path = s, public",
	"SET TIME ZONE 'UTC'",
	"SET ROLE NONE",
	"PREPARE ps AS SELECT 1",
	"DEALLOCATE ps",
	"DEALLOCATE ALL",
	"LISTEN l",
	"NOTIFY l",
	"UNLISTEN l",
	"DISCARD PLANS",
	"DISCARD TEMP",
	"BEGIN",
	"SET LOCAL a.b = 1",
	"SET CONSTRAINTS ALL DEFERRED",
	"LOCK TABLE t IN SHARE MODE",
	"SAVEPOINT sp",
	"ROLLBACK TO sp",
	"RELEASE sp",
	"DECLARE cu CURSOR FOR SELECT 1",
	"FETCH cu",
	"MOVE cu",
	"CLOSE cu",
	"CLOSE ALL",
	"COMMIT AND CHAIN",
	"ROLLBACK",
	"START TRANSACTION",
	"PREPARE TRANSACTION 'tx'",
	"COMMIT PREPARED 'tx'",
	"BEGIN",
	"PREPARE TRANSACTION 'tx'",
	"ROLLBACK PREPARED 'tx'",
	"TRUNCATE c1, c2",
	"DROP TABLE c1, c2",
	"ALTER TABLE t SET SCHEMA public",
	"DROP SCHEMA s CASCADE",
	"DISCARD ALL",
};

static PGconn *conn;
static struct arena *arena;

static void hush(void *data, const char *message)
{
	(void)data;
	(void)message;
}

static void setup(void)
{
	const char *keys[] = { "host", "user", "dbname", NULL };
	const char *values[] = { getenv("PG_FIXTURE"), "postgres", "postgres", NULL };

	conn = PQconnectdbParams(keys, values, 0);
	cr_assert_eq(PQstatus(conn), CONNECTION_OK, "%s", PQerrorMessage(conn));
	PQsetNoticeProcessor(conn, hush, NULL);
	arena = arena_new((size_t)64 << 20);
}

static void teardown(void)
{
	PQfinish(conn);
	arena_free(arena);
}

TestSuite(statement_tags, .init = setup, .fini = teardown);

static const struct sql_statement *read_one(const char *sql)
{
	struct err err = ERR_INIT;
	struct sql_file *file = NULL;

	cr_assert_eq(statement_parse_file(arena, "t", sql, strlen(sql), 1, &file, &err), 0, "%s", err.message);
	cr_assert_eq(file->statements, 1, "%s", sql);
	return &file->statement[0];
}

/* answer is one of the tags, perhaps with counts behind it. */
static bool announced(const char *tags, const char *answer)
{
	size_t len = strlen(answer);

	while (len > 0 && strchr("0123456789 ", answer[len - 1]))
		len--;
	while (tags && *tags) {
		size_t n = strcspn(tags, "|");
		if (n == len && memcmp(tags, answer, n) == 0)
			return true;
		tags += n + (tags[n] == '|');
	}
	return false;
}

/* In a block first, and taken back: 25001 exactly when it is said to need to stand alone. */
static void try_in_block(const struct sql_statement *s)
{
	PGresult *result;
	const char *state;

	/* What a rollback does not undo, and a subscription whose missing slot the statement does not show. */
	static const char *const never[] = { "PREPARE", "DEALLOCATE", "DEALLOCATE ALL", "DROP SUBSCRIPTION" };

	if (PQtransactionStatus(conn) != PQTRANS_IDLE || s->category == SQL_TRANSACTION)
		return;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (strcmp(s->tag, never[i]) == 0)
			return;
	PQclear(PQexec(conn, "BEGIN"));
	result = PQexec(conn, s->text);
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	cr_expect_eq(state && strcmp(state, "25001") == 0, s->non_transactional, "%s: %s", s->text, state ? state : "fine");
	PQclear(result);
	PQclear(PQexec(conn, "ROLLBACK"));
}

Test(statement_tags, of_all_that_a_real_server_runs, .timeout = 120)
{
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
		const struct sql_statement *s = read_one(statements[i]);
		PGresult *result;
		try_in_block(s);
		result = PQexec(conn, statements[i]);
		cr_expect(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s",
		          statements[i], PQresultErrorMessage(result));
		cr_expect(announced(s->tag, PQcmdStatus(result)), "%s: said %s, is %s", statements[i], s->tag,
		          PQcmdStatus(result));
		PQclear(result);
	}
}

/* What the statement says it makes by itself is there afterwards. */
Test(statement_tags, names_that_the_server_chooses)
{
	static const char *const tables[] = {
		"CREATE TABLE n1 (id serial PRIMARY KEY, a int UNIQUE, b int GENERATED ALWAYS AS IDENTITY, UNIQUE (a, b))",
		"CREATE TABLE a234567890123456789012345678901234567890123456789 "
		"(b234567890123456789012345678901234567890 serial UNIQUE, c int, UNIQUE (b234567890123456789012345678901234567890, c))",
		"CREATE TABLE \"Ünïcödé_ünïcödé_ünïcödé_ünïcödé_ünïcödé\" (\"Ünïcödé_ünïcödé_ünïcödé_ünïcödé\" serial UNIQUE)",
		"CREATE INDEX ON n1 (lower(a::text), b, (a + b)) INCLUDE (id)",
		"CREATE INDEX ON n1 ((a::text), coalesce(a, b))",
		"ALTER TABLE n1 ADD COLUMN z bigserial UNIQUE",
		"CREATE TABLE n2 (r int4range, EXCLUDE USING gist (r WITH &&))",
	};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		const struct sql_statement *s = read_one(tables[i]);
		PGresult *result = PQexec(conn, tables[i]);
		cr_assert_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s", PQresultErrorMessage(result));
		PQclear(result);
		for (size_t j = 0; j < s->objects; j++) {
			const char *values[] = { s->object[j].name };
			if (s->object[j].use != SQL_CREATE)
				continue;
			result = PQexecParams(conn, "SELECT to_regclass(quote_ident($1)) IS NOT NULL", 1, NULL, values, NULL, NULL, 0);
			cr_expect_str_eq(PQgetvalue(result, 0, 0), "t", "%s: no %s", tables[i], values[0]);
			PQclear(result);
		}
	}
}
