/*
 * The steps before a server is asked, and the first ones with it, in TRUST.md's order. Nothing is
 * changed here, and nothing that was refused is passed over.
 */
#include "prepare.h"

#include <unistd.h>

#include "clock.h"

static int open_policy(struct prepared *p, struct err *err)
{
	if (trust_open(p->policy, true, &p->trust, err))
		return -1;
	if (geteuid() == 0 && !trust_policy(p->trust)->allow_root) {
		err_refuse(err, "policy", "the policy does not allow root to apply plans");
		return err_hint(
			err, "run as the applier's own user, or set allow-root: yes in policy.conf");
	}
	if (trust_host_key(p->trust))
		return 0;
	err_refuse(err, "policy", "%s has no host_key.pem: this is a desk, not a host that may apply",
		p->policy);
	return err_hint(err, "pgdocket trust init writes one");
}

static int check_segments(const struct document *document, struct err *err)
{
	for (size_t i = 0; i < document->programs; i++) {
		for (size_t k = 0; k < document->program[i].segments; k++) {
			if (document->program[i].segment[k].transactional)
				continue;
			err_set(err, ERR_UNFIT,
				"program %d has a statement that cannot run in a transaction, "
				"which this version "
				"does not apply",
				document->program[i].number);
			return err_hint(err, "take that migration out of the plan");
		}
	}
	return 0;
}

int prepare_bundle(struct prepared *p, struct err *err)
{
	if (open_policy(p, err) ||
		verify_bundle(p->file, p->trust, trust_operator(p->trust, (long)getuid()), clock_now_us(),
			&p->verified, err))
		return -1;
	return check_segments(p->verified.document, err);
}

int prepare_connect(struct prepared *p, const struct cli_connection *connection,
	const char *application_name, struct err *err)
{
	if (connect_prepare(p->cli, connection, p->trust, &p->connector, err) ||
		connect_open(&p->connector, application_name, &p->control, err))
		return -1;
	return target_read(p->control, &p->target, err);
}

void prepare_release(struct prepared *p)
{
	session_close(p->control);
	ledger_release(&p->ledger);
	connect_release(&p->connector);
	verify_release(&p->verified);
	trust_close(p->trust);
}
