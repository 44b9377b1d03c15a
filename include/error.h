/*
 * Errors: filled in where they happen, carried by an out-parameter, printed by main alone.
 *
 * Every function that can fail returns 0, or -1 with *err filled in. An error that is already set
 * is never replaced (so calls chain: `if (a(&err) || b(&err)) goto out;`); callers may put
 * context in front of it with err_context. Nothing here allocates.
 */
#ifndef PGDOCKET_ERROR_H
#define PGDOCKET_ERROR_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* What the caller can do about it; err_exit_status gives the exit code of DESIGN.md. */
enum err_code {
	ERR_NONE = 0,
	ERR_USAGE,   /* 2: the command line is wrong */
	ERR_CONFIG,  /* 2: pgdocket.conf or a migration folder is wrong */
	ERR_IO,      /* 1: a file or socket; sys_errno is set when the system said why */
	ERR_NOMEM,   /* 1 */
	ERR_UNFIT,   /* 1: the environment: lock held, pooler, standby, missing privilege or ledger */
	ERR_PLAN,    /* 1: a plan cannot be made from this */
	ERR_SERVER,  /* 1: PostgreSQL answered with an error; sqlstate is set, or empty: lost */
	ERR_LIMIT,   /* 3: larger than the format allows */
	ERR_FORMAT,  /* 3: damaged, foreign or malformed bytes */
	ERR_VERSION, /* 3: written by a newer version */
	ERR_REFUSED, /* 3: signature, policy, expiry, identity, drift, guard; see reason */
	ERR_INCOMPLETE,  /* 4: something was changed and not everything, or applied and not exported */
	ERR_DIFFERENT,   /* 5: differences found, only with --exit-code */
	ERR_INTERRUPTED, /* 6: stopped by a signal, nothing half done */
	ERR_BUG          /* 70: a fault of ours */
};

struct err {
	enum err_code code;
	int sys_errno;      /* 0: none */
	char sqlstate[6];   /* empty: none */
	char reason[24];    /* one word for --json: "signature", "quorum", "drift" ...; may be empty */
	char message[1200]; /* what happened, to what, where; no newline at the end */
	char hint[600];     /* the way out; may be empty */
};

#define ERR_INIT { ERR_NONE, 0, "", "", "", "" }

/*
 * Fill in *err unless it is set already. Always returns -1, so that `return err_set(...)` reads
 * well.
 */
int err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same with errno's sentence appended; keeps errno in sys_errno. */
int err_set_errno(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* ERR_REFUSED with its one-word reason. */
int err_refuse(struct err *err, const char *reason, const char *format, ...) PRINTF_LIKE(3, 4);
/* Both with a hint that needs no values of its own; it is set only together with the message. */
int err_set_hint(struct err *err, enum err_code code, const char *hint, const char *format, ...)
	PRINTF_LIKE(4, 5);
int err_refuse_hint(struct err *err, const char *reason, const char *hint, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* ERR_NOMEM. */
int err_nomem(struct err *err);
/* Set the hint, unless there is one; does nothing when *err is clear. Returns -1. */
int err_hint(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Put "context: " in front of the message. Returns -1. */
int err_context(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
void err_clear(struct err *err);
/* The process's exit code for this error. */
int err_exit_status(const struct err *err);

#endif
