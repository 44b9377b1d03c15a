/* Inside of the plan document: its JSON as a tree and tables that say which key of an object goes
 * where in a struct; the objects that it names. Strict: a key twice, a key not in the table, a
 * missing key, another type, a number out of bounds are ERR_FORMAT with the place. */
#ifndef PGDOCKET_DOCUMENT_INSIDE_H
#define PGDOCKET_DOCUMENT_INSIDE_H

#include "arena.h"
#include "document.h"
#include "object.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

#define JSON_DEPTH_MAX 16
#define JSON_KEYS_MAX 32 /* of one object */

struct json {
	enum json_type type;
	const char *key;  /* in an object; else NULL */
	const char *text; /* JSON_TEXT: never with NUL bytes inside */
	int64_t number;   /* JSON_INT, JSON_BOOL */
	size_t count;     /* JSON_ARRAY, JSON_OBJECT: children */
	struct json *first, *last, *next;
};

/* Parse text with the connection's json_tree. ERR_FORMAT: not JSON (RFC 8259), not UTF-8, too deep,
 * a key twice, a fraction. */
int json_parse(struct db *db, struct arena *arena, const char *text, size_t len, struct json **out,
	struct err *err) MUST_CHECK;
/* NULL: no such key, or not an object. */
const struct json *json_find(const struct json *object, const char *key);

enum json_kind {
	FIELD_BOOL,   /* bool */
	FIELD_INT,    /* int, within low..high */
	FIELD_INT64,  /* int64_t, within low..high */
	FIELD_TEXT,   /* const char *, at most high bytes; low bytes at least */
	FIELD_DIGEST, /* struct digest from 64 hex digits */
	FIELD_WORD,   /* int: index of the text in words */
	FIELD_FLAG,   /* bool: false for words[0], true for words[1] */
	FIELD_TEXTS,  /* const char **, its count at `second`; entries at most high bytes */
	/* array of structs: pointer at offset, count at `second`, at least low entries */
	FIELD_LIST,
	FIELD_PART, /* an object, read by `fields` or `read` into the struct at offset */
	FIELD_ANY   /* nothing is read */
};

struct json_reader;
typedef int json_read(
	struct json_reader *reader, const struct json *value, void *target, struct err *err);

struct json_field {
	const char *key; /* NULL ends a table */
	uint8_t kind;    /* enum json_kind */
	uint16_t offset;
	/* see kinds; for a digest that may be null: offset of the bool that is set when it is not, or
	 * UINT16_MAX */
	uint16_t second;
	uint16_t element; /* list: size of one struct */
	bool null;        /* null is allowed: text becomes NULL, int -1 */
	bool absent;      /* the key may be missing: as null */
	int32_t low;
	int64_t high;
	union {
		const char *const *words; /* NULL-terminated */
		/* list: one element; part: read by a table, or by a function where that is not enough */
		const struct json_field *fields;
	};
	json_read *read;
};

struct json_reader {
	struct arena *arena;
	void *context; /* the caller's */
};

/* Read an object by its table. */
int json_read_object(struct json_reader *reader, const struct json *object,
	const struct json_field *fields, void *target, struct err *err) MUST_CHECK;

struct document_object {
	struct digest digest;
	const char *kind;
	int64_t size, stored_size;
	struct digest stored;
	bool wanted;      /* set by the caller: keep the text */
	const char *text; /* of wanted ones, after document_objects_load; in the arena */
};

struct document_objects {
	size_t count;
	struct document_object *object; /* sorted by digest */
};

/* Sort, and refuse one named twice, or the document itself. ERR_FORMAT. */
int document_objects_sort(
	struct document_objects *objects, const struct digest *document, struct err *err) MUST_CHECK;
/* Nothing that the tables refer to is missing, nothing but the document stands outside the list;
 * each is stored as stated and holds what its name says. ERR_FORMAT: one of these does not hold, or
 * a wanted one holds a NUL byte. */
int document_objects_load(struct db *db, struct arena *arena, struct document_objects *objects,
	struct err *err) MUST_CHECK;
/* NULL: not named. */
struct document_object *document_objects_find(
	const struct document_objects *objects, const struct digest *digest);

/* Read the whole document; objects receives its list, sorted, with those marked as wanted whose
 * text runs. own: the document's digest. Everything stays in the arena; texts are those of the
 * tree. Steps have no text yet. ERR_FORMAT, ERR_VERSION with the place. */
int document_fields_read(struct arena *arena, const struct json *root, const struct digest *own,
	struct document *document, struct document_objects *objects, struct err *err) MUST_CHECK;

#endif
