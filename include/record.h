/*
 * Audit records (TRUST.md a.9): text in the statements' grammar, chained by SHA-256, ended by
 * signed checkpoints. A record is built key by key, then sealed; a reader gets keys in the order
 * in which they were written.
 *
 *     pgdocket-audit/1
 *     run: <32 hex>
 *     seq: 0, 1, 2 ...
 *     prev: <hex SHA-256 of the previous record's bytes; of the plan statement for seq 0>
 *     time: 2026-11-22T07:30:00.123456Z
 *     type: run-start | segment | retry | error | signal | reconcile | checkpoint | run-end
 *     ... keys of that type (FORMAT.md), values percent-encoded ...
 *     end
 *
 * Keys of each type, in this order; those in brackets may be absent. What the applier writes and
 * audit reads:
 *
 *   run-start   plan (hex) bundle (hex, as received) policy (hex) program ("pgdocket-apply 0.1.0")
 *               [binary (hex)] uid [sudo-uid] [tty] host label system-identifier database-oid
 *               database server-version time-server (microseconds, as time) restore-point ("LSN
 *               timeline N TIME", read behind time-server) planner approvals
 *               [signature-1 signature-2 ...:
 *               "counts|rejects|ignored NAMESPACE PRINCIPAL|- FINGERPRINT [why]"]
 *               [expired: yes] jobs [wave] [stop-after]
 *   segment     schema oid segment (number) class (number) wave (name) xid state-after (hex)
 *               shape-after (hex) attempts duration-us [pilot: yes]
 *   reconcile   as segment, from the ledger: schema oid segment [class] [wave] state-after
 *               shape-after applied-by (run id) finished (time, microseconds)
 *   retry       schema segment attempt sqlstate message [blockers] delay-ms
 *   error       [schema segment [statement (number) file line]] [sqlstate; absent: connection
 *               lost] message; without schema: of the run
 *   signal      signal (name)
 *   checkpoint  plan (hex); its bytes are what the receipt's signature signs, and prev names the
 *               head
 *   run-end     result (complete | incomplete | interrupted) segments reconciled failed retries,
 *               as counted by this run: records of type segment, of type reconcile, schemas that
 *               failed, records of type retry; [restore-point: behind the last change] [why]
 */
#ifndef PGDOCKET_RECORD_H
#define PGDOCKET_RECORD_H

#include "buf.h"
#include "db.h"
#include "digest.h"
#include "sshsig.h"

#define RECORD_MAX_BYTES 16384

struct record_chain {
	char run[33];
	int64_t seq;        /* of the next record */
	struct digest head; /* of the newest record; the plan's digest before the first */
};

void record_chain_start(struct record_chain *chain, const char run[33], const struct digest *plan);
/* Begin a record in out (cleared); then record_key...; record_seal then advances the chain. */
void record_begin(const struct record_chain *chain, struct buf *out, const char *type,
		  int64_t time_us);
/* Percent-encoded here, cut at 4 KiB. An empty value writes nothing: readers find no such key. */
void record_key(struct buf *out, const char *key, const char *value);
void record_key_int64(struct buf *out, const char *key, int64_t value);
void record_key_digest(struct buf *out, const char *key, const struct digest *value);
int record_seal(struct record_chain *chain, struct buf *out, struct err *err) MUST_CHECK;

/* Parsed record: values decoded. Borrowed from the arena given to record_parse. */
struct arena;
struct record {
	const char *run, *type;
	int64_t seq, time_us;
	struct digest prev;
	size_t keys;
	const char **key, **value;
};
int record_parse(struct arena *arena, const char *bytes, size_t len, struct record **out,
		 struct err *err) MUST_CHECK;
const char *record_get(const struct record *record, const char *key); /* NULL: absent */

/*
 * Verify every chain of the bundle's receipts: seq without gaps, prev, places of types, one key for
 * all checkpoints of a run, their signatures in result.v1@pgdocket. visitor, record and end may be
 * NULL. record is called for each record in order, end behind each run's last; host is the key that
 * signed its checkpoints, NULL: none did. A chain whose newest records stand behind no checkpoint
 * is reported through end's unsigned_records, not as an error.
 *
 * Errors: ERR_REFUSED reason "audit" or "signature", naming run and seq
 *         ERR_FORMAT  a record that is none
 */
struct record_visitor {
	void *context;
	int (*record)(void *context, const struct record *record, const char *body, size_t len,
		      struct err *err);
	int (*end)(void *context, const char *run, const struct digest *head, int64_t records,
		   int64_t unsigned_records, const struct ssh_public_key *host, struct err *err);
};
int record_verify_chains(struct db *db, const struct digest *plan,
			 const struct record_visitor *visitor, struct err *err) MUST_CHECK;

#endif
