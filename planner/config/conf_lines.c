/*
 * Lines of pgdocket.conf, by way of inih. inih as Debian builds it cuts lines at 200 bytes, names
 * no line to its handler and hands an indented line over as the key before it once more: so it is
 * fed by our reader, which counts lines, refuses long ones and sees sections, and the handler
 * joins what continues a value. Knows no key.
 */
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include "conf_private.h"
#include "text.h"

#define SEENS_MAX 1000

static int error_at(const struct conf_reader *reader, struct err *err, int line,
		    const char *message)
{
	return line ? err_set(err, ERR_CONFIG, "%s:%d: %s", reader->conf->path, line, message)
		    : err_set(err, ERR_CONFIG, "%s: %s", reader->conf->path, message);
}

int conf_error(const struct conf_reader *reader, struct err *err, const char *format, ...)
{
	char message[600];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return error_at(reader, err, reader->key_line ? reader->key_line : reader->line, message);
}

int conf_whole_error(const struct conf_reader *reader, struct err *err, const char *format, ...)
{
	char message[600];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return error_at(reader, err, 0, message);
}

/* Hand the finished value over. */
static int close_key(struct conf_reader *reader)
{
	int result = 0;

	if (reader->value)
		result = conf_set(reader, reader->section, reader->key, reader->value, reader->err);
	reader->value = NULL;
	reader->key[0] = '\0';
	reader->key_line = 0;
	return result;
}

static int open_section(struct conf_reader *reader, const char *line, size_t len)
{
	const char *end = memchr(line, ']', len);

	if (close_key(reader))
		return -1;
	if (!end)
		return conf_error(reader, reader->err, "a section's name lacks its ]");
	while (end > line + 1 && end[-1] == ' ')
		end--;
	snprintf(reader->section, sizeof reader->section, "%.*s", (int)(end - line - 1), line + 1);
	if (!conf_section_known(reader->section)) {
		conf_error(reader, reader->err, "there is no section [%s]", reader->section);
		return err_hint(
			reader->err,
			"sections are target, shared, tenants, migrations, plan and wave NAME");
	}
	if (text_starts(reader->section, CONF_WAVE_SECTION " "))
		return conf_add_wave(reader, reader->section + sizeof CONF_WAVE_SECTION,
				     reader->err);
	return 0;
}

/* inih's fgets: one line without its end; NULL ends the reading. */
static char *next_line(char *out, int size, void *context)
{
	struct conf_reader *reader = context;
	const char *line = reader->conf->text + reader->at, *newline;
	size_t len;

	if (reader->err->code != ERR_NONE || reader->at >= reader->conf->text_len)
		return NULL;
	newline = memchr(line, '\n', reader->conf->text_len - reader->at);
	len = newline ? (size_t)(newline - line) : reader->conf->text_len - reader->at;
	reader->at += len + 1;
	reader->line++;
	if (len && line[len - 1] == '\r')
		len--;
	if (len >= CONF_LINE_MAX || len >= (size_t)size) {
		reader->key_line = 0;
		conf_error(reader, reader->err, "the line has %zu bytes; fewer than %d are allowed",
			   len, CONF_LINE_MAX);
		err_hint(reader->err, "go on in the next line, indented");
		return NULL;
	}
	if (reader->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3; /* a byte order mark */
		len -= 3;
	}
	reader->indented = len && (line[0] == ' ' || line[0] == '\t');
	if (len && line[0] == '[' && open_section(reader, line, len))
		return NULL;
	memcpy(out, line, len);
	out[len] = '\0';
	return out;
}

static int check_new_key(struct conf_reader *reader, const char *name)
{
	const char *seen;

	if (!reader->section[0])
		return conf_error(reader, reader->err, "\"%s\" stands before the first section",
				  name);
	seen = arena_format(reader->arena, reader->err, "%s\n%s", reader->section, name);
	if (!seen)
		return -1;
	for (size_t i = 0; i < reader->seens; i++)
		if (strcmp(reader->seen[i], seen) == 0)
			return conf_error(reader, reader->err, "[%s] has \"%s\" twice",
					  reader->section, name);
	if (reader->seens == SEENS_MAX)
		return conf_error(reader, reader->err, "more than %d keys", SEENS_MAX);
	reader->seen[reader->seens++] = seen;
	return 0;
}

/* inih's handler: 1 goes on, 0 is an error (ours is in reader->err). */
static int take(void *context, const char *section, const char *name, const char *value)
{
	struct conf_reader *reader = context;

	(void)section; /* cut at 49 bytes; ours is whole */
	if (reader->err->code != ERR_NONE)
		return 0;
	if (reader->value && reader->indented && strcmp(reader->key, name) == 0) {
		reader->value = arena_format(reader->arena, reader->err, "%s%s%s", reader->value,
					     *reader->value && *value ? " " : "", value);
		return reader->value != NULL;
	}
	if (close_key(reader) || check_new_key(reader, name))
		return 0;
	snprintf(reader->key, sizeof reader->key, "%s", name);
	reader->key_line = reader->line;
	reader->value = arena_text(reader->arena, value, reader->err);
	return reader->value != NULL;
}

static int line_of(const char *text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

int conf_read_lines(struct conf_reader *reader, struct err *err)
{
	const struct conf *conf = reader->conf;
	size_t bad;
	int wrong;

	if (!text_utf8(conf->text, conf->text_len, &bad))
		return error_at(reader, err, line_of(conf->text, bad), "not valid UTF-8");
	reader->seen = arena_array(reader->arena, SEENS_MAX, sizeof *reader->seen, err);
	if (!reader->seen)
		return -1;
	wrong = ini_parse_stream(next_line, reader, take, reader);
	if (err->code != ERR_NONE)
		return -1;
	if (wrong > 0) {
		error_at(reader, err, wrong, "neither a section, nor key = value, nor a comment");
		return err_hint(err, "comments begin with ; or #");
	}
	return close_key(reader);
}
