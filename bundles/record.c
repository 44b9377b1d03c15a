/* Audit records: built key by key in the line grammar, sealed into a chain, parsed back. A record's
 * meaning is its writer's and reader's business; only head, order of lines and size are checked
 * here. */
#include "record.h"
#include <stdio.h>
#include <string.h>
#include "arena.h"
#include "clock.h"
#include "lines.h"
#include "text.h"

#define HEADER "pgdocket-audit/1"
/* Bytes of a value as written, so that one long message never makes a record too large. */
#define VALUE_MAX 4096
#define KEYS_MAX 1024

struct head { /* the lines that every record begins with */
	char run[33];
	int64_t seq;
	struct digest prev;
	int64_t time_us;
};

static const struct lines_row head_rows[] = {
	{ "run", { { LINES_ID, offsetof(struct head, run), 0, 0 } } },
	{ "seq", { { LINES_INT64, offsetof(struct head, seq), 0, INT64_MAX } } },
	{ "prev", { { LINES_HASH, offsetof(struct head, prev), 0, 0 } } },
	{ "time", { { LINES_MICROS, offsetof(struct head, time_us), 0, 0 } } },
	{ NULL, { { LINES_NONE, 0, 0, 0 } } }
};

void record_chain_start(struct record_chain *chain, const char run[33], const struct digest *plan)
{
	memset(chain, 0, sizeof(*chain));
	memcpy(chain->run, run, sizeof(chain->run));
	chain->run[32] = '\0';
	chain->head = *plan;
}

void record_begin(
	const struct record_chain *chain, struct buf *out, const char *type, int64_t time_us)
{
	struct head head = { "", chain->seq, chain->head, time_us };
	struct err err = ERR_INIT;
	memcpy(head.run, chain->run, sizeof(head.run));
	buf_clear(out);
	buf_add_text(out, HEADER "\n");
	if (lines_write_rows(head_rows, &head, out, &err))
		return; /* sticky in out: record_seal reports it */
	record_key(out, "type", type);
}

/* As many whole UTF-8 characters as have an encoded form within VALUE_MAX. It is written straight
 * to out: a copy that ran out of memory would look like a shorter value. */
void record_key(struct buf *out, const char *key, const char *value)
{
	if (!*value)
		return;
	buf_add_format(out, "%s: ", key);
	size_t start = out->len, fits = start;
	for (; *value && out->len - start <= VALUE_MAX; value++) {
		if (((unsigned char)*value & 0xc0) != 0x80)
			fits = out->len;
		text_percent(out, value, 1);
	}
	if (out->len - start > VALUE_MAX)
		out->len = fits;
	buf_add_char(out, '\n');
}

void record_key_int64(struct buf *out, const char *key, int64_t value)
{
	buf_add_format(out, "%s: %lld\n", key, (long long)value);
}

void record_key_digest(struct buf *out, const char *key, const struct digest *value)
{
	buf_add_format(out, "%s: %s\n", key, digest_text(value).hex);
}

int record_seal(struct record_chain *chain, struct buf *out, struct err *err)
{
	buf_add_text(out, "end\n");
	if (buf_check(out, err))
		return err_context(err, "audit record %lld", (long long)chain->seq);
	if (out->len > RECORD_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "audit record %lld has %zu bytes; at most %d are allowed",
			(long long)chain->seq, out->len, RECORD_MAX_BYTES);
	digest_of(out->data, out->len, &chain->head);
	chain->seq++;
	return 0;
}

const char *record_get(const struct record *record, const char *key)
{
	for (size_t i = 0; i < record->keys; i++)
		if (strcmp(record->key[i], key) == 0)
			return record->value[i];
	return NULL;
}

static int take_pair(
	struct arena *arena, struct lines *lines, struct record *record, struct err *err)
{
	struct lines_pair pair;
	struct buf value = BUF_INIT(VALUE_MAX);
	int result = -1;
	if (lines_pair(lines, &pair, err))
		goto out;
	if (record->keys == KEYS_MAX) {
		lines_wrong(lines, err, "more than %d keys", KEYS_MAX);
		goto out;
	}
	if (!text_unpercent(pair.value, pair.value_len, &value) ||
		memchr(value.data, '\0', value.len)) {
		lines_wrong(lines, err, "the value is not percent-encoded as it should be");
		goto out;
	}
	const char *key = arena_copy(arena, pair.key, pair.key_len, err);
	const char *text = key ? arena_copy(arena, value.data, value.len, err) : NULL;
	if (!text)
		goto out;
	if (record_get(record, key)) {
		lines_wrong(lines, err, "key \"%s\" stands twice", key);
		goto out;
	}
	record->key[record->keys] = key;
	record->value[record->keys++] = text;
	result = 0;
out:
	buf_release(&value);
	return result;
}

/* Numbers and times have several spellings; only the one that record_begin writes is a record. */
static int head_canonical(const struct head *head, const char *bytes, size_t len, struct err *err)
{
	struct buf again = BUF_INIT(RECORD_MAX_BYTES);
	buf_add_text(&again, HEADER "\n");
	int result = lines_write_rows(head_rows, head, &again, err);
	if (!result && (again.len > len || memcmp(again.data, bytes, again.len) != 0))
		result = err_set(
			err, ERR_FORMAT, "audit record: not written in the one form that its values have");
	buf_release(&again);
	return result;
}

int record_parse(
	struct arena *arena, const char *bytes, size_t len, struct record **out, struct err *err)
{
	struct lines lines;
	struct head head = { 0 };
	*out = NULL;
	struct record *record = arena_alloc(arena, sizeof(*record), err);
	if (!record || lines_open(&lines, "audit record", bytes, len, RECORD_MAX_BYTES, err) ||
		lines_expect(&lines, HEADER, err) || lines_parse_rows(head_rows, &lines, &head, err) ||
		head_canonical(&head, bytes, len, err))
		return -1;
	size_t most = 0;
	for (size_t i = 0; i < len; i++)
		most += bytes[i] == '\n';
	record->key = arena_array(arena, most, sizeof(*record->key), err);
	record->value = arena_array(arena, most, sizeof(*record->value), err);
	record->run = arena_text(arena, head.run, err);
	if (!record->key || !record->value || !record->run)
		return -1;
	record->seq = head.seq;
	record->prev = head.prev;
	record->time_us = head.time_us;
	while (!lines_stands(&lines, "end"))
		if (take_pair(arena, &lines, record, err))
			return -1;
	record->type = record_get(record, "type");
	if (!record->keys || !record->type || strcmp(record->key[0], "type") != 0)
		return err_set(err, ERR_FORMAT, "audit record: key \"type\" was expected behind \"time\"");
	if (lines_close(&lines, err))
		return -1;
	*out = record;
	return 0;
}
