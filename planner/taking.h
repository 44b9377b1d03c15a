/*
 * Taking a snapshot, as `snapshot` and `status -d` do it: options, password, connections, the edit
 * that receives it.
 */
#ifndef PGDOCKET_TAKING_H
#define PGDOCKET_TAKING_H

#include "bundle.h"
#include "cli.h"
#include "project.h"
#include "snapshot.h"

struct taking {
	struct cli *cli;
	const struct cli_common *common;
	const struct cli_connection *connection;
	const struct project *project;
	int jobs;
};

/*
 * Read the target and write its snapshot and the project's migrations into edit's database. What
 * is wrong with lists goes to talk.
 */
int taking_snapshot(const struct taking *taking, struct db *bundle, struct snapshot_result *result,
		    struct err *err) MUST_CHECK;

#endif
