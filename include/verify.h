/*
 * TRUST.md a.7, steps 2 to 10, in order: what both programs' verify does, and what run does before
 * it connects.
 */
#ifndef PGDOCKET_VERIFY_H
#define PGDOCKET_VERIFY_H

#include "bundle.h"
#include "document.h"
#include "trust.h"

struct verified {
	struct bundle *bundle;
	struct document *document;
	struct trust_result trust;
	struct digest snapshot; /* recomputed */
};

/*
 * ERR_REFUSED, ERR_FORMAT and the rest as the steps report them. *out is filled as far as it got;
 * verify_release always.
 */
int verify_bundle(const char *path, const struct trust *trust, const char *operator_name,
		  int64_t now_us, struct verified *out, struct err *err) MUST_CHECK;
/*
 * Steps 8 to 10, when signatures were judged otherwise: needs bundle and trust.statement, fills in
 * document and snapshot.
 */
int verify_content(struct verified *verified, const struct trust *trust,
		   struct err *err) MUST_CHECK;
/*
 * Records of earlier runs are believed only when a host that may apply this plan signed them all:
 * for those who act on
 * them. audit tells what is missing instead. ERR_REFUSED reason "audit".
 */
int verify_runs(struct verified *verified, const struct trust *trust, int64_t now_us,
                struct err *err) MUST_CHECK;
void verify_release(struct verified *verified);
/* The report that both programs print: who planned, who approved, what was not checked. */
int verify_report(const struct verified *verified, struct buf *out, struct err *err) MUST_CHECK;
int verify_report_json(const struct verified *verified, struct buf *out,
		       struct err *err) MUST_CHECK;

#endif
