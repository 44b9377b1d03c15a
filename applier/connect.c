/*
 * Sessions by the command line's options, the policy's conninfo-file and the environment, in that
 * order of weight. It decides nothing about the server; it only keeps secrets out of everything
 * that is shown.
 */
#include "connect.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"

#define CONNINFO_MAX 65536

static int read_conninfo(const char *path, struct connector *out, struct err *err)
{
	struct buf text = BUF_INIT(CONNINFO_MAX);
	struct stat facts;
	int rc = -1;
	if (file_read(path, 1, &text, err))
		goto out;
	if (stat(path, &facts)) {
		err_set_errno(err, ERR_IO, "%s", path);
		goto out;
	}
	if (facts.st_mode & (S_IWGRP | S_IWOTH)) {
		err_refuse(err, "policy", "%s can be written by others", path);
		err_hint(err, "chmod 600 %s", path);
		goto out;
	}
	if ((facts.st_mode & (S_IRGRP | S_IROTH)) && strstr(buf_text(&text), "password")) {
		err_refuse(err, "policy", "%s holds a password and can be read by others", path);
		err_hint(err, "chmod 600 %s", path);
		goto out;
	}
	out->conninfo_text = buf_detach(&text, NULL);
	rc = out->conninfo_text ? 0 : err_nomem(err);
out:
	buf_release(&text);
	return rc;
}

int connect_prepare(struct cli *cli, const struct cli_connection *connection,
	const struct trust *trust, struct connector *out, struct err *err)
{
	memset(out, 0, sizeof *out);
	out->connection = *connection;
	out->require_tls = trust && trust_policy(trust)->require_tls;
	const char *file = trust ? trust_policy(trust)->conninfo_file : NULL;
	if (file && read_conninfo(file, out, err))
		return -1;
	if (connection->password && !connection->no_password) {
		out->password = cli_ask(cli, "Password:", false, err);
		if (!out->password)
			return -1;
	}
	return 0;
}

void connect_release(struct connector *connector)
{
	if (connector->password)
		explicit_bzero(connector->password, strlen(connector->password));
	if (connector->conninfo_text)
		explicit_bzero(connector->conninfo_text, strlen(connector->conninfo_text));
	free(connector->password);
	free(connector->conninfo_text);
	memset(connector, 0, sizeof *connector);
}

int connect_open(const struct connector *connector, const char *application_name,
	struct session **out, struct err *err)
{
	const struct session_options options = {
		.conninfo = connector->connection.dbname,
		.host = connector->connection.host,
		.port = connector->connection.port,
		.user = connector->connection.user,
		.password = connector->password,
		.conninfo_text = connector->conninfo_text,
		.application_name = application_name,
		.require_tls = connector->require_tls,
	};
	return session_open(&options, out, err);
}
