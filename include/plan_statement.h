/*
 * The texts that people sign: plan statement and approval statement (TRUST.md, decision 1 and a.3).
 * Grammar: ASCII 0x20-0x7E, LF, "key: value" lines, each once and in order, last line "end", at
 * most 16 KiB. Parsing re-serialises and requires the very same bytes.
 */
#ifndef PGDOCKET_PLAN_STATEMENT_H
#define PGDOCKET_PLAN_STATEMENT_H

#include <stdbool.h>
#include "buf.h"
#include "db.h"
#include "digest.h"

#define STATEMENT_MAX_BYTES 16384
#define STATEMENT_TEXT_MAX 513 /* decoded names and comments, with NUL */

/* Namespaces of signatures: role = namespace. */
#define NAMESPACE_PLAN "plan.v1@pgdocket"
#define NAMESPACE_APPROVE "approve.v1@pgdocket"
#define NAMESPACE_RESULT "result.v1@pgdocket"

/* Names are held decoded; writing percent-encodes them. */
struct plan_statement {
	struct digest document;
	int64_t document_size;
	char label[STATEMENT_TEXT_MAX];
	char system_identifier[32];
	int64_t database_oid;
	char database[STATEMENT_TEXT_MAX];
	int server_major;
	char apply_host[64]; /* "SHA256:..." or "any" */
	int64_t schemas, statements, destructive;
	int64_t created_us, not_before_us, expires_us;
	char ticket[STATEMENT_TEXT_MAX]; /* "none" */
	char nonce[33];
};

struct lines_format; /* lines.h */
extern const struct lines_format plan_statement_format, approval_format;

/* ERR_FORMAT: a value that the reader would refuse. */
int plan_statement_write(const struct plan_statement *statement, struct buf *out,
			 struct err *err) MUST_CHECK;
/* ERR_FORMAT naming the line. Several targets are ERR_VERSION: the first version plans one. */
int plan_statement_parse(const char *bytes, size_t len, struct plan_statement *out,
			 struct err *err) MUST_CHECK;
/*
 * The statement of the bundle's one plan: bytes (cleared first) as they were signed, parsed, and
 * their SHA-256.
 * *found false: the bundle has no plan; the rest is untouched then. ERR_FORMAT, ERR_VERSION,
 * ERR_LIMIT.
 */
int plan_statement_load(struct db *db, struct buf *bytes, struct plan_statement *out,
			struct digest *plan, bool *found, struct err *err) MUST_CHECK;
/* 32 random hex digits. */
int plan_statement_nonce(char out[33], struct err *err) MUST_CHECK;

struct approval {
	struct digest plan; /* SHA-256 of the plan statement's bytes */
	bool approve;       /* false: reject */
	char approver[STATEMENT_TEXT_MAX];
	int64_t signed_at_us, expires_us;
	char ticket[STATEMENT_TEXT_MAX];
	char comment[STATEMENT_TEXT_MAX]; /* "none" */
	char nonce[33];
};

int approval_write(const struct approval *approval, struct buf *out, struct err *err) MUST_CHECK;
int approval_parse(const char *bytes, size_t len, struct approval *out, struct err *err) MUST_CHECK;

#endif
