/*
 * Which configuration and which migrations a command works with: the working folder's where they
 * belong to the bundle, else those that the bundle carries.
 */
#ifndef PGDOCKET_PROJECT_H
#define PGDOCKET_PROJECT_H

#include "arena.h"
#include "conf.h"
#include "db.h"
#include "source.h"

struct project {
	struct arena *arena;
	struct conf *conf;
	struct source source; /* no migrations: neither folder nor bundle has any */
	bool own_conf; /* configuration and migrations are the folder's; false: the bundle's */
};

/*
 * config: --config, or NULL: ./pgdocket.conf when there is one. bundle NULL: there is none yet,
 * the folder must have a configuration. A configuration is used when its label is the bundle's
 * target's; named by --config with another label it is ERR_CONFIG. The folder's migrations go
 * with the folder's configuration, the bundle's with the bundle's; ERR_CONFIG when the
 * configuration's migrations folder does not exist.
 */
int project_open(const char *config, struct db *bundle, struct project *out,
		 struct err *err) MUST_CHECK;
void project_close(struct project *project); /* also after a failed open */
/* "configuration and migrations from ./pgdocket.conf" and the like; in the project's arena. */
const char *project_describe(const struct project *project, struct err *err);

#endif
