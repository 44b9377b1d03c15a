/* Encodings and quoting: what decodes is canonical, what is quoted stays one token, what is shown has no control character. */
#include "document.h"
#include "fuzz.h"
#include "quote.h"
#include "text.h"

#define ROOM (1u << 20)

static void check_decoders(const char *text, size_t len)
{
	struct buf plain = BUF_INIT(ROOM), again = BUF_INIT(ROOM);
	if (text_unpercent(text, len, &plain)) {
		text_percent(&again, plain.data, plain.len);
		FUZZ_HOLDS(again.len == len && memcmp(buf_text(&again), text, len) == 0);
	}
	buf_clear(&plain);
	buf_clear(&again);
	if (text_unbase64(text, len, &plain)) {
		text_base64(&again, plain.data, plain.len);
		FUZZ_HOLDS(again.len == len && memcmp(buf_text(&again), text, len) == 0);
	}
	buf_release(&plain);
	buf_release(&again);
}

static void check_safe(const char *text, size_t len)
{
	struct buf safe = BUF_INIT(ROOM), json = BUF_INIT(ROOM);
	size_t bad;
	text_safe(&safe, text, len);
	text_json(&json, text, len);
	for (size_t i = 0; i < safe.len; i++)
		FUZZ_HOLDS((unsigned char)safe.data[i] >= 0x20 && safe.data[i] != 0x7f);
	FUZZ_HOLDS(text_utf8(buf_text(&safe), safe.len, &bad));
	FUZZ_HOLDS(text_utf8(buf_text(&json), json.len, &bad));
	buf_release(&safe);
	buf_release(&json);
}

static void check_quote(const char *text)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT(ROOM);
	if (!quote_identifier(&out, text, &err)) {
		FUZZ_HOLDS(out.data[0] == '"' && out.data[out.len - 1] == '"');
		for (size_t i = 1; i + 1 < out.len; i++)
			if (out.data[i] == '"')
				FUZZ_HOLDS(out.data[++i] == '"' && i + 1 < out.len);
	}
	buf_release(&out);
	err_clear(&err);
	if (!quote_literal(&out, text, &err))
		FUZZ_HOLDS(out.data[out.len - 1] == '\'');
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), word[32];
	int64_t number;
	check_decoders(text, size);
	check_safe(text, size);
	check_quote(text);
	text_int64(text, INT64_MIN, INT64_MAX, &number);
	text_duration_ms(text, &number);
	text_glob(text, "tenant_0001");
	document_first_word_refused(text, size, word);
	free(text);
	return 0;
}
