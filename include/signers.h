/*
 * allowed_signers: the subset of ssh-keygen's format that is accepted (TRUST.md a.5). Any file that
 * passes here is one that stock ssh-keygen reads; one wrong line refuses the file.
 */
#ifndef PGDOCKET_SIGNERS_H
#define PGDOCKET_SIGNERS_H

#include "arena.h"
#include "digest.h"
#include "sshsig.h"

#define SIGNERS_MAX 1000
#define SIGNERS_PRINCIPAL_MAX \
	100 /* bytes; so that a record of 64 signatures stays within its limit */

/* Bits of signer.namespaces, in the order of trust.h's roles. */
enum signers_bit { SIGNERS_PLAN = 1, SIGNERS_APPROVE = 2, SIGNERS_RESULT = 4 };

struct signer {
	const char *principal;
	unsigned namespaces;
	int64_t after_us, before_us; /* INT64_MIN, INT64_MAX: no limit */
	struct digest key;           /* SHA-256 of the key blob */
	bool hardware;               /* an sk- key type */
	int line;
};
struct signers {
	size_t count;
	struct signer *item; /* the arena's */
};

/* path stands in messages. ERR_REFUSED reason "policy" naming the line. */
int signers_parse(struct arena *arena, const char *path, const char *text, size_t len,
		  struct signers *out, struct err *err) MUST_CHECK;
/* 0 for a namespace that is not ours. */
unsigned signers_namespace(const char *name, size_t len);
/*
 * A name that may stand in allowed_signers: [A-Za-z0-9_.@:/+-], not beginning with '-', at most
 * SIGNERS_PRINCIPAL_MAX.
 */
bool signers_principal_valid(const char *name, size_t len);

/*
 * Lines of a policy file, one by one: *at is moved behind the line; false at the end. CR, NUL and
 * other control characters but TAB are refused (bad set, what names them). Comment lines (# at
 * their start) and blank lines are passed over.
 */
struct signers_reader {
	const char *path, *at, *end;
	int line;
};
bool signers_line(struct signers_reader *reader, const char **line, size_t *len, struct err *err);
/* ERR_REFUSED reason "policy": "path, line N: ...". */
int signers_wrong(const struct signers_reader *reader, struct err *err, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
