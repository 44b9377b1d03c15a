/*
 * The local policy directory (TRUST.md, decision 2 and a.5) and what it makes of a bundle's
 * signatures. Everything fails closed: one wrong line refuses the whole file.
 */
#ifndef PGDOCKET_TRUST_H
#define PGDOCKET_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>
#include "buf.h"
#include "db.h"
#include "plan_statement.h"
#include "policy.h"
#include "sshsig.h"

enum trust_role { ROLE_PLANNER, ROLE_APPROVER, ROLE_HOST };

struct trust; /* what stands in these files */
#define TRUST_POLICY "policy.conf"
#define TRUST_SIGNERS "allowed_signers"
#define TRUST_REVOKED_KEYS "revoked_keys"
#define TRUST_REVOKED_PLANS "revoked_plans"
#define TRUST_HOST_KEY "host_key.pem"
#define TRUST_FILE_MAX (1u << 20) /* bytes */

/*
 * dir: --trust. strict: also owner and mode of directory, parents, files (TRUST.md, decision 2).
 * ERR_REFUSED reason "policy".
 */
int trust_open(const char *dir, bool strict, struct trust **out, struct err *err) MUST_CHECK;
void trust_close(struct trust *trust);
/*
 * The strict rule, also for what else only root or we may write: owner root or us, writable by
 * nobody else (a directory with the sticky bit may be); of an open directory also those above it.
 */
int trust_check_owner(const char *path, const struct stat *facts, struct err *err) MUST_CHECK;
int trust_check_directory(const char *path, int fd, struct err *err) MUST_CHECK;

const struct policy *trust_policy(const struct trust *trust);
/* NULL: this is a desk, not a host */
const struct ssh_private_key *trust_host_key(const struct trust *trust);
const struct digest *trust_policy_digest(const struct trust *trust); /* SHA-256 of policy.conf */
/* The principal of operator uid (policy's operator lines), or NULL. */
const char *trust_operator(const struct trust *trust, long uid);
/* True when the key may sign in this namespace now; *principal borrowed from trust. */
bool trust_signer(const struct trust *trust, const struct ssh_public_key *key,
		  const char *name_space, int64_t now_us, const char **principal);

enum trust_verdict { VERDICT_COUNTS, VERDICT_REJECTS, VERDICT_IGNORED };
#define TRUST_SIGNATURES_MAX 64 /* examined; more are noted and ignored */

struct trust_signature { /* one examined row, for people and for the audit record */
	enum trust_verdict verdict;
	char name_space[24];
	char principal[STATEMENT_TEXT_MAX]; /* who, when the key is known; else empty */
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	int64_t signed_at_us; /* claimed; 0 for plan signatures */
	char ticket[STATEMENT_TEXT_MAX], comment[STATEMENT_TEXT_MAX];
	char why[200]; /* reason when ignored */
};

struct trust_result {
	struct plan_statement statement;
	struct digest plan; /* SHA-256 of the statement's bytes: the plan id */
	char planner[STATEMENT_TEXT_MAX];
	int approvals, approvals_required;
	size_t signatures;
	struct trust_signature signature[TRUST_SIGNATURES_MAX];
	/*
	 * Statement or a needed approval, by less than resume-grace: run refuses unless the ledger
	 * has rows.
	 */
	bool expired;
	char expired_why[200];     /* expired: what of it, since when */
	bool apply_host_unchecked; /* no host_key.pem here */
	size_t ignored_rows;       /* beyond TRUST_SIGNATURES_MAX */
};

/*
 * Steps 4 to 7 of TRUST.md a.7 on the bundle's tables plan and signature: grammar, planner's
 * signature, label, apply-host, revoked_plans, times, quorum. operator: principal of who runs this,
 * or NULL. On ERR_REFUSED *result holds what was examined so far. reasons: "statement",
 * "signature", "quorum", "rejected", "label", "apply-host", "expired", "not-yet", "revoked", "age".
 */
int trust_judge(const struct trust *trust, struct db *bundle, int64_t now_us,
		const char *operator_name, struct trust_result *result, struct err *err) MUST_CHECK;

/*
 * `trust init`: dir is made, or exists without any of the policy's files (else ERR_IO; nothing is
 * overwritten). `trust add`: *added false when the line stands there already. ERR_USAGE: principal;
 * ERR_REFUSED reason "policy": the key is another's, or the directory's policy is malformed.
 */
int trust_init(const char *dir, const char *label, char fingerprint[SSHSIG_FINGERPRINT_SIZE],
	       struct err *err) MUST_CHECK;
int trust_add(const char *dir, enum trust_role role, const char *principal,
	      const struct ssh_public_key *key, bool *added, struct err *err) MUST_CHECK;

#endif
