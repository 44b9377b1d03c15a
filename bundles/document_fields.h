/* From the JSON tree of a plan document to its structs. Private to bundles/. */
#ifndef PGDOCKET_DOCUMENT_FIELDS_H
#define PGDOCKET_DOCUMENT_FIELDS_H

#include "document.h"
#include "document_json.h"
#include "document_objects.h"

/* Read the whole document; objects receives its list, sorted, with those marked as wanted whose
 * text runs. own: the document's digest. Everything stays in the arena; texts are those of the
 * tree. Steps have no text yet. ERR_FORMAT, ERR_VERSION with the place. */
int document_fields_read(struct arena *arena, const struct json *root, const struct digest *own,
	struct document *document, struct document_objects *objects, struct err *err) MUST_CHECK;

#endif
