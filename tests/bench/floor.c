/*
 * The least that a program of libpq's can do for the same work: the pending statements and history
 * rows of every tenant, one pipeline per schema, over so many connections at a time. Optionally the
 * applier's own fingerprint query behind them. No ledger, no guards, no receipts; it judges nothing
 * but whether the server took everything.
 *
 *   floor [-j CONNECTIONS] [-t schema|migration] [-s] FIRST FILE...
 *
 * FILE: migrations in dbmate's layout, in their order; of those, versions from FIRST on are sent.
 * -s: one fingerprint per transaction. The connection is libpq's environment.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shape.h"

#define LANES_MAX 64
#define STATEMENTS_MAX 256
#define FILE_MAX_BYTES 65536

static const char setting_up[] =
	"SELECT pg_catalog.set_config(s.name, s.value, false) FROM (VALUES"
	" ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),"
	" ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('quote_all_identifiers', 'off'),"
	" ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'),"
	" ('plan_cache_mode', 'force_generic_plan'), ('jit', 'off'), ('search_path', 'pg_catalog, pg_temp'))"
	" AS s (name, value)";

static const char *statement[STATEMENTS_MAX];
static size_t statements;
static bool per_migration, with_shape;

struct lane {
	PGconn *conn;
	size_t schema;
	bool busy;
};

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(1);
}

static void *must(void *memory)
{
	if (!memory)
		give_up("memory", "none left");
	return memory;
}

/* --- what is sent --- */

static void add(const char *text)
{
	if (statements == STATEMENTS_MAX)
		give_up(text, "more statements than this program takes");
	statement[statements++] = text;
}

static char *file_text(const char *name)
{
	char *text = must(calloc(1, FILE_MAX_BYTES));
	FILE *file = fopen(name, "r");
	if (!file || fread(text, 1, FILE_MAX_BYTES - 1, file) == 0)
		give_up(name, "cannot be read");
	fclose(file);
	return text;
}

/* The statements of the upper half; each ends with a semicolon at the end of its line. */
static void add_statements(const char *name)
{
	char *text = file_text(name), *down = strstr(text, "-- migrate:down"), *end;
	if (down)
		*down = 0;
	text = strchr(text, '\n');
	for (; text && (end = strstr(text, ";\n")); text = end + 2) {
		*end = 0;
		add(text);
	}
}

static void add_migration(const char *name)
{
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	char *history = must(malloc(200));
	snprintf(history, 200, "INSERT INTO schema_migrations (version) VALUES ('%.*s')",
		(int)strcspn(base, "_"), base);
	add_statements(name);
	add(history);
	if (per_migration)
		add("COMMIT");
}

/* --- one schema --- */

static void send_text(PGconn *conn, const char *sql)
{
	if (!PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0))
		give_up(sql, PQerrorMessage(conn));
}

static void send_path(PGconn *conn, const char *schema)
{
	char sql[256];
	snprintf(sql, sizeof sql, "SET LOCAL search_path = \"%s\", public", schema);
	send_text(conn, sql);
}

static void send_shape(PGconn *conn, const char *oid)
{
	char oids[32];
	const char *const values[] = { oids, "{schema_migrations}" };
	snprintf(oids, sizeof oids, "{%s}", oid);
	send_text(conn, "SET LOCAL search_path = pg_catalog, pg_temp");
	if (!PQsendQueryPrepared(conn, "shape", 2, values, NULL, NULL, 0))
		give_up("fingerprint", PQerrorMessage(conn));
}

static void send_schema(struct lane *lane, const PGresult *schemas, int row)
{
	PGconn *conn = lane->conn;
	bool begin = true;
	for (size_t i = 0; i < statements; i++) {
		if (begin) {
			send_text(conn, "BEGIN");
			send_path(conn, PQgetvalue(schemas, row, 0));
		}
		begin = strcmp(statement[i], "COMMIT") == 0;
		if (with_shape && begin)
			send_shape(conn, PQgetvalue(schemas, row, 1));
		send_text(conn, statement[i]);
	}
	if (!PQpipelineSync(conn))
		give_up("sync", PQerrorMessage(conn));
	lane->busy = true;
}

/* Take what has come; the lane is free again behind its Sync. */
static void receive(struct lane *lane)
{
	if (!PQconsumeInput(lane->conn))
		give_up("connection", PQerrorMessage(lane->conn));
	while (lane->busy && !PQisBusy(lane->conn)) {
		PGresult *result = PQgetResult(lane->conn);
		ExecStatusType status = PQresultStatus(result);
		if (status == PGRES_PIPELINE_SYNC)
			lane->busy = false;
		else if (result && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
			give_up("statement", PQresultErrorMessage(result));
		PQclear(result);
	}
}

/* --- all of them --- */

static void open_lane(struct lane *lane)
{
	PGresult *result;
	lane->conn = PQconnectdb("");
	if (PQstatus(lane->conn) != CONNECTION_OK)
		give_up("connection", PQerrorMessage(lane->conn));
	if (with_shape) {
		PQclear(PQexec(lane->conn, setting_up));
		result = PQprepare(lane->conn, "shape", shape_guard_query(0), 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			give_up("fingerprint", PQresultErrorMessage(result));
		PQclear(result);
	}
	if (!PQenterPipelineMode(lane->conn))
		give_up("pipeline", PQerrorMessage(lane->conn));
}

static void work(struct lane *lane, int lanes, const PGresult *schemas)
{
	struct pollfd fds[LANES_MAX];
	int next = 0, left = PQntuples(schemas);
	while (left > 0) {
		for (int i = 0; i < lanes; i++) {
			if (!lane[i].busy && next < PQntuples(schemas))
				send_schema(&lane[i], schemas, next++);
			fds[i] = (struct pollfd){ .fd = lane[i].busy ? PQsocket(lane[i].conn) : -1,
				.events = POLLIN };
		}
		if (poll(fds, (nfds_t)lanes, -1) < 0)
			give_up("poll", "failed");
		for (int i = 0; i < lanes; i++)
			if (fds[i].revents) {
				receive(&lane[i]);
				left -= !lane[i].busy;
			}
	}
}

int main(int argc, char **argv)
{
	static struct lane lane[LANES_MAX];
	int lanes = 1, option;
	while ((option = getopt(argc, argv, "j:t:s")) != -1) {
		if (option == 'j')
			lanes = (int)strtol(optarg, NULL, 10);
		else if (option == 't')
			per_migration = strcmp(optarg, "migration") == 0;
		else if (option == 's')
			with_shape = true;
		else
			return 2;
	}
	if (lanes < 1 || lanes > LANES_MAX || argc - optind < 2)
		give_up("usage", "floor [-j CONNECTIONS] [-t schema|migration] [-s] FIRST FILE...");
	for (int i = optind + 1; i < argc; i++) {
		const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		if (strcmp(base, argv[optind]) >= 0)
			add_migration(argv[i]);
	}
	if (!per_migration)
		add("COMMIT");
	for (int i = 0; i < lanes; i++)
		open_lane(&lane[i]);
	PQexitPipelineMode(lane[0].conn);
	PGresult *schemas = PQexec(lane[0].conn,
		"SELECT t.schema_name, n.oid FROM public.tenants AS t"
		" JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schema_name ORDER BY 1");
	if (PQresultStatus(schemas) != PGRES_TUPLES_OK || !PQenterPipelineMode(lane[0].conn))
		give_up("tenants", PQerrorMessage(lane[0].conn));
	work(lane, lanes, schemas);
	printf("%d schemas\n", PQntuples(schemas));
	PQclear(schemas);
	for (int i = 0; i < lanes; i++)
		PQfinish(lane[i].conn);
	return 0;
}
