/* Reads allowed_signers, strictly: one literal principal, our namespaces, times in UTC, no
 * certificates, no key of two people. ssh-keygen passes over lines that it does not understand;
 * here they refuse the whole file. */
#include "signers.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "keytype.h"
#include "plan_statement.h"
#include "sshkey.h"
#include "text.h"

static const struct {
	const char *name;
	unsigned bit;
} namespaces[] = { { NAMESPACE_PLAN, SIGNERS_PLAN }, { NAMESPACE_APPROVE, SIGNERS_APPROVE },
	{ NAMESPACE_RESULT, SIGNERS_RESULT } };

int signers_wrong(const struct signers_reader *reader, struct err *err, const char *format, ...)
{
	char text[500];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_refuse(err, "policy", "%s, line %d: %s", reader->path, reader->line, text);
}

bool signers_line(struct signers_reader *reader, const char **line, size_t *len, struct err *err)
{
	while (reader->at < reader->end) {
		const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
		*line = reader->at;
		*len = (size_t)((newline ? newline : reader->end) - reader->at);
		reader->at += *len + (newline ? 1 : 0);
		reader->line++;
		for (size_t i = 0; i < *len; i++) {
			unsigned char c = (unsigned char)(*line)[i];
			if ((c >= 0x20 && c != 0x7f) || c == '\t')
				continue;
			signers_wrong(
				reader, err, c == '\r' ? "carriage return" : "control character 0x%02X", c);
			err_hint(err, "the policy's files are plain text with LF line ends");
			return false;
		}
		if (*len && **line != '#' && strspn(*line, " \t") < *len)
			return true;
	}
	return false;
}

unsigned signers_namespace(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (strlen(namespaces[i].name) == len && memcmp(namespaces[i].name, name, len) == 0)
			return namespaces[i].bit;
	return 0;
}

bool signers_principal_valid(const char *name, size_t len)
{
	return len && len <= SIGNERS_PRINCIPAL_MAX && name[0] != '-' && text_plain(name, len);
}

/* What stands between blanks; options keep their quoted parts together. */
struct words {
	const char *at, *end;
};

static void skip_blanks(struct words *words)
{
	while (words->at < words->end && (*words->at == ' ' || *words->at == '\t'))
		words->at++;
}

static bool next_word(struct words *words, const char **word, size_t *len)
{
	skip_blanks(words);
	*word = words->at;
	while (words->at < words->end && *words->at != ' ' && *words->at != '\t')
		words->at++;
	*len = (size_t)(words->at - *word);
	return *len > 0;
}

/* YYYYMMDD[HHMM[SS]]Z. Without Z it would be local time: two hosts would read two moments. What
 * strptime makes of other spellings, and days that do not exist, are written back differently. */
static bool parse_time(const char *text, size_t len, int64_t *out)
{
	char whole[16] = "00000000000000Z", again[sizeof(whole)];
	struct tm tm = { 0 };
	if ((len != 9 && len != 13 && len != 15) || text[len - 1] != 'Z' || memcmp(text, "19", 2) < 0)
		return false;
	memcpy(whole, text, len - 1);
	if (!strptime(whole, "%Y%m%d%H%M%SZ", &tm))
		return false;
	*out = (int64_t)timegm(&tm) * 1000000;
	return strftime(again, sizeof(again), "%Y%m%d%H%M%SZ", &tm) && strcmp(whole, again) == 0;
}

static const char *set_namespaces(struct signer *signer, const char *value, size_t len)
{
	const char *end = value + len;
	for (const char *at = value; at <= end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t part = (size_t)((comma ? comma : end) - at);
		unsigned bit = signers_namespace(at, part);
		if (!bit || signer->namespaces & bit)
			return "namespaces= takes plan.v1@pgdocket, approve.v1@pgdocket and "
				   "result.v1@pgdocket, each once";
		signer->namespaces |= bit;
		at += part + 1;
	}
	return NULL;
}

static const struct {
	const char *prefix;
	size_t offset; /* of a time */
	const char *wrong;
} options[] = { { "namespaces=\"", 0, NULL },
	{ "valid-after=\"", offsetof(struct signer, after_us),
		"valid-after= takes YYYYMMDD[HHMM[SS]]Z, in UTC with its Z" },
	{ "valid-before=\"", offsetof(struct signer, before_us),
		"valid-before= takes YYYYMMDD[HHMM[SS]]Z, in UTC with its Z" } };

/* One option at *at; *seen has a bit for each that stood before. */
static const char *take_option(
	struct signer *signer, const char **at, const char *end, unsigned *seen)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size_t len = strlen(options[i].prefix);
		if ((size_t)(end - *at) < len || memcmp(*at, options[i].prefix, len) != 0)
			continue;
		const char *value = *at + len;
		const char *quote = memchr(value, '"', (size_t)(end - value));
		if (!quote)
			return "a quote is not closed";
		if (*seen & 1u << i)
			return "an option stands twice";
		*seen |= 1u << i;
		*at = quote + 1;
		if (!options[i].wrong)
			return set_namespaces(signer, value, (size_t)(quote - value));
		int64_t *time = (int64_t *)(void *)((char *)signer + options[i].offset);
		return parse_time(value, (size_t)(quote - value), time) ? NULL : options[i].wrong;
	}
	return "only the options namespaces=\"...\", valid-after=\"...\" and valid-before=\"...\" are "
		   "accepted";
}

static const char *take_options(struct signer *signer, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	unsigned seen = 0;
	for (;;) {
		const char *why = take_option(signer, &at, end, &seen);
		if (why)
			return why;
		if (at == end)
			break;
		if (*at++ != ',')
			return "options are separated by commas";
	}
	if (!signer->namespaces)
		return "namespaces= is missing: a key must say what it may sign";
	if (signer->after_us >= signer->before_us)
		return "valid-before= is not later than valid-after=";
	return NULL;
}

/* A key stands for one person, and says once what it may do. */
static const char *conflict(const struct signers *signers, const struct signer *signer, int *with)
{
	for (size_t i = 0; i < signers->count; i++) {
		const struct signer *other = &signers->item[i];
		*with = other->line;
		if (!digest_equal(&other->key, &signer->key))
			continue;
		if (strcmp(other->principal, signer->principal) != 0)
			return "the key is another principal's already";
		if (other->namespaces & signer->namespaces)
			return "the key has this namespace already";
	}
	return NULL;
}

static int take_key(const struct signers_reader *reader, const char *text, size_t len,
	struct signer *signer, struct err *err)
{
	struct err inner = ERR_INIT;
	struct ssh_public_key key;
	if (ssh_public_key_parse(text, len, &key, &inner)) {
		signers_wrong(reader, err, "%s", inner.message);
		return err_hint(err, "%s", inner.hint);
	}
	const struct keytype *type = keytype_of_blob(key.blob, key.blob_len, err);
	signer->hardware = type && type->hardware;
	ssh_public_key_digest(&key, &signer->key);
	return 0;
}

static int take_line(struct arena *arena, const struct signers_reader *reader, const char *line,
	size_t len, struct signers *signers, struct err *err)
{
	struct words words = { line, line + len };
	struct signer *signer = &signers->item[signers->count];
	const char *name, *option;
	size_t name_len, option_len;
	int with = 0;
	if (!next_word(&words, &name, &name_len) || name != line ||
		!signers_principal_valid(name, name_len)) {
		signers_wrong(reader, err, "one literal principal was expected first");
		return err_hint(err,
			"no wildcards, no lists; letters, digits and _.@:/+-, at most %d bytes",
			SIGNERS_PRINCIPAL_MAX);
	}
	if (!next_word(&words, &option, &option_len))
		return signers_wrong(reader, err, "options and a key were expected behind the principal");
	*signer =
		(struct signer){ .after_us = INT64_MIN, .before_us = INT64_MAX, .line = reader->line };
	const char *why = take_options(signer, option, option_len);
	if (why)
		return signers_wrong(reader, err, "%s", why);
	skip_blanks(&words);
	if (take_key(reader, words.at, (size_t)(words.end - words.at), signer, err))
		return -1;
	signer->principal = arena_copy(arena, name, name_len, err);
	if (!signer->principal)
		return -1;
	why = conflict(signers, signer, &with);
	if (why)
		return signers_wrong(reader, err, "%s (line %d)", why, with);
	signers->count++;
	return 0;
}

int signers_parse(struct arena *arena, const char *path, const char *text, size_t len,
	struct signers *out, struct err *err)
{
	struct signers_reader reader = { path, text, text + len, 0 };
	const char *line;
	size_t line_len;
	out->count = 0;
	out->item = arena_array(arena, SIGNERS_MAX, sizeof(*out->item), err);
	if (!out->item)
		return -1;
	while (signers_line(&reader, &line, &line_len, err)) {
		if (out->count == SIGNERS_MAX)
			return signers_wrong(&reader, err, "more than %d keys", SIGNERS_MAX);
		if (take_line(arena, &reader, line, line_len, out, err))
			return -1;
	}
	return err->code ? -1 : 0;
}
