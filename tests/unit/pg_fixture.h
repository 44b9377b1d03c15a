/*
 * A PostgreSQL server of the test program's own, as tests/integration/server.bash makes it: started before the first
 * test, stopped behind the last; Unix socket only, nothing durable. Tests connect with host=$PG_FIXTURE user=postgres.
 */
#ifndef PGDOCKET_PG_FIXTURE_H
#define PGDOCKET_PG_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void pg_fixture_shell(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

#define PG_FIXTURE_AS "cd $PG_FIXTURE; B=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1); " \
	"if [ $(id -u) = 0 ]; then A='runuser -u postgres --'; chown postgres: .; fi; "

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	char directory[] = "/tmp/pgd.XXXXXX";

	(void)tests;
	criterion_options.jobs = 1; /* they share the server's roles and databases */
	if (!mkdtemp(directory))
		exit(1);
	setenv("PG_FIXTURE", directory, 1);
	unsetenv("PGOPTIONS");
	pg_fixture_shell(PG_FIXTURE_AS "$A $B/initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >/dev/null && "
	                 "printf '%s\\n' \"listen_addresses = ''\" \"unix_socket_directories = '$PG_FIXTURE'\" 'fsync = off' "
	                 "'synchronous_commit = off' 'autovacuum = off' 'max_prepared_transactions = 5' "
	                 "| $A tee -a data/postgresql.conf >/dev/null && "
	                 "$A $B/pg_ctl -D data -l log -w start >/dev/null");
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	pg_fixture_shell(PG_FIXTURE_AS "$A $B/pg_ctl -D data -m immediate -w stop >/dev/null; rm -rf $PG_FIXTURE");
}

#endif
