/* What bundle.c, edit.c and export.c share. Private to bundles/. */
#ifndef PGDOCKET_BUNDLE_PARTS_H
#define PGDOCKET_BUNDLE_PARTS_H

#include "bundle.h"
#include "quarantine.h"

/* The file that this bundle was read from. */
const struct quarantine *bundle_received(const struct bundle *bundle);
/* Lay our tables into an empty database file that exists already (0600, made by the caller). */
int bundle_create_in(const char *path, struct db **out, struct err *err) MUST_CHECK;

#endif
