/*
 * The steps before a server is asked, and the first ones with it, in TRUST.md's order: policy,
 * bundle, sessions, clocks. Nothing is changed here, nothing that was refused is passed over, and
 * secrets are kept out of everything that is shown.
 */
#include "applier.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "sql.h"

/* --- offline --- */

static int check_host(const struct run *run, struct err *err)
{
	if (geteuid() == 0 && !trust_policy(run->trust)->allow_root)
		return err_refuse_hint(err, "policy",
			"run as the applier's own user, or set allow-root: yes in policy.conf",
			"the policy does not allow root to apply plans");
	if (trust_host_key(run->trust))
		return 0;
	return err_refuse_hint(err, "policy", "pgdocket trust init writes one",
		"%s has no host_key.pem: this is a desk, not a host that may apply", run->options.trust);
}

int prepare_bundle(struct run *run, bool to_apply, struct err *err)
{
	if (trust_open(run->options.trust, true, &run->trust, err) ||
		(to_apply && check_host(run, err)) ||
		verify_bundle(run->file, run->trust, trust_operator(run->trust, (long)getuid()),
			clock_now_us(), &run->verified, err) ||
		verify_runs(&run->verified, run->trust, clock_now_us(), err))
		return -1;
	run->document = run->verified.document;
	return 0;
}

/* --- sessions --- */

static int read_conninfo(const char *path, char **out, struct err *err)
{
	struct buf text = BUF_INIT(1u << 16);
	struct stat facts;
	int rc, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &facts))
		rc = err_set_errno(err, ERR_IO, "%s", path);
	else if (!S_ISREG(facts.st_mode))
		rc = err_refuse(err, "policy", "%s is not a regular file", path);
	else
		rc = trust_check_owner(path, &facts, err) || file_read_open(fd, path, &text, err);
	if (!rc && facts.st_mode & (S_IRGRP | S_IROTH) && strstr(buf_text(&text), "password")) {
		err_refuse(err, "policy", "%s holds a password and can be read by others", path);
		rc = err_hint(err, "chmod 600 %s", path);
	}
	if (!rc && !(*out = buf_detach(&text, NULL)))
		rc = err_nomem(err);
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return rc;
}

static int open_session(
	const struct run *run, const char *name, struct session **out, struct err *err)
{
	const struct session_options options = {
		.conninfo = run->options.connection.dbname,
		.host = run->options.connection.host,
		.port = run->options.connection.port,
		.user = run->options.connection.user,
		.password = run->password,
		.conninfo_text = run->conninfo_text,
		.application_name = name,
		.require_tls = run->trust && trust_policy(run->trust)->require_tls,
	};
	return session_open(&options, out, err);
}

int prepare_control(struct run *run, const char *name, struct err *err)
{
	const struct cli_connection *connection = &run->options.connection;
	const char *file = run->trust ? trust_policy(run->trust)->conninfo_file : NULL;
	if (file && read_conninfo(file, &run->conninfo_text, err))
		return -1;
	if (connection->password && !connection->no_password &&
		!(run->password = cli_ask(run->cli, "Password:", false, err)))
		return -1;
	return open_session(run, name, &run->control, err);
}

int prepare_session(const struct run *run, const char *lane, struct session **out, struct err *err)
{
	char name[48];
	snprintf(name, sizeof name, "pgdocket/%.8s/%s", run->id, lane);
	return open_session(run, name, out, err);
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void prepare_release(struct run *run)
{
	session_close(run->control);
	rows_free(run->target.facts);
	wipe(run->password);
	wipe(run->conninfo_text);
	verify_release(&run->verified);
	trust_close(run->trust);
}

/* --- the target --- */

int prepare_target(struct run *run, struct err *err)
{
	struct target *t = &run->target;
	if (ask_rows(run->control, sql_target_facts, &t->facts, err, ""))
		return -1;
	if (rows_count(t->facts) != 1 || !(t->system_identifier = rows_text(t->facts, 0, 0)) ||
		!(t->database = rows_text(t->facts, 0, 2)))
		return err_set(err, ERR_SERVER, "the database does not say what it is");
	t->oid = rows_int64(t->facts, 0, 1);
	t->version = (int)rows_int64(t->facts, 0, 3);
	t->server_now_us = rows_int64(t->facts, 0, 4);
	t->host_now_us = clock_now_us();
	return 0;
}

int prepare_check_times(const struct run *run, struct err *err)
{
	const struct plan_statement *s = &run->verified.trust.statement;
	int64_t server_us = run->target.server_now_us, host_us = run->target.host_now_us;
	int64_t late_us = server_us > host_us ? server_us : host_us;
	int64_t early_us = server_us > host_us ? host_us : server_us;
	char text[CLOCK_SECONDS_SIZE];
	if (early_us < s->not_before_us) {
		clock_seconds(s->not_before_us, text);
		return err_refuse_hint(err, "not-yet", "run it again then",
			"the plan may not be applied before %s", text);
	}
	if ((!run->verified.trust.expired && late_us <= s->expires_us) ||
		(run->ledger.begun &&
			late_us <= s->expires_us + trust_policy(run->trust)->resume_grace_ms * 1000))
		return 0;
	clock_seconds(s->expires_us, text);
	return err_refuse_hint(err, "expired",
		"plan again; only a run that has begun may go on behind that time (resume-grace)",
		"the plan or an approval of it has expired (the plan: %s)", text);
}
