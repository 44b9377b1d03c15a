/*
 * What run and check have in common: policy, verified bundle, connection, facts of the target,
 * ledger.
 */
#ifndef PGDOCKET_PREPARE_H
#define PGDOCKET_PREPARE_H

#include "connect.h"
#include "ledger.h"
#include "target.h"

struct prepared {
	struct cli *cli;
	const char *file, *policy; /* FILE; --trust */
	struct trust *trust;
	struct verified verified;
	struct connector connector;
	struct session *control;
	struct target target;
	struct ledger ledger;
};

/* Policy (root allowed, a host key there), then the bundle, then what this version cannot apply. */
int prepare_bundle(struct prepared *p, struct err *err) MUST_CHECK;
/* Connect and read what the target is; not yet judged. */
int prepare_connect(struct prepared *p, const struct cli_connection *connection,
	const char *application_name, struct err *err) MUST_CHECK;
void prepare_release(struct prepared *p);

#endif
