/*
 * From the command line, the policy and the environment to sessions: whom to connect to, under
 * which name.
 */
#ifndef PGDOCKET_CONNECT_H
#define PGDOCKET_CONNECT_H

#include "cli.h"
#include "session.h"
#include "trust.h"

struct connector {
	struct cli_connection connection;
	char *password;      /* asked for with -W; wiped when released */
	char *conninfo_text; /* of the policy's conninfo-file */
	bool require_tls;
};

/*
 * trust may be NULL. ERR_REFUSED reason "policy": a conninfo-file that others may write, or read
 * with a password in it.
 */
int connect_prepare(struct cli *cli, const struct cli_connection *connection,
	const struct trust *trust, struct connector *out, struct err *err) MUST_CHECK;
void connect_release(struct connector *connector);
int connect_open(const struct connector *connector, const char *application_name,
	struct session **out, struct err *err) MUST_CHECK;

#endif
