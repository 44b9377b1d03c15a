/*
 * What a command does around snapshot_take: asks for the password, says which grants are missing,
 * keeps the migrations.
 */
#include "taking.h"
#include <stdlib.h>
#include <string.h>
#include "text.h"

static void say_lines(struct cli *cli, const struct buf *lines)
{
	struct buf safe = BUF_INIT(128u << 20);

	for (const char *at = buf_text(lines); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		text_safe(&safe, at, strcspn(at, "\n"));
		buf_add_char(&safe, '\n');
	}
	fputs(buf_text(&safe), cli->talk);
	buf_release(&safe);
}

static int take(const struct taking *taking, const struct session_options *session,
		struct db *bundle, struct snapshot_result *result, struct err *err)
{
	const struct source *source = &taking->project->source;
	struct snapshot_options options = {
		.session = session,
		.conf = taking->project->conf,
		.jobs = taking->jobs,
		.layout = source->migrations ? source->layout : NULL,
		.progress_stream = taking->cli->talk,
		.progress_mode = cli_progress(taking->common),
	};

	if (snapshot_take(&options, bundle, result, err)) {
		if (result->missing > SNAPSHOT_GRANTS_IN_HINT && !taking->cli->json)
			say_lines(taking->cli, &result->grants);
		return -1;
	}
	if (result->problems && !taking->common->quiet)
		say_lines(taking->cli, &result->notes);
	return source->migrations ? source_store(source, bundle, err) : 0;
}

int taking_snapshot(const struct taking *taking, struct db *bundle, struct snapshot_result *result,
		    struct err *err)
{
	const struct cli_connection *connection = taking->connection;
	struct session_options session = {
		.conninfo = connection->dbname,
		.host = connection->host,
		.port = connection->port,
		.user = connection->user,
		.application_name = "pgdocket snapshot",
	};
	char *password = NULL;
	int rc;

	if (connection->password) {
		password = cli_ask(taking->cli, "Password:", false, err);
		if (!password)
			return -1;
		session.password = password;
	}
	rc = take(taking, &session, bundle, result, err);
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	return rc;
}
