/*
 * The armor around SSHSIG signatures that ssh-keygen -Y sign writes. Whether what is inside is a
 * signature is not asked here.
 */
#include "sshsig.h"

#include <string.h>
#include "text.h"

#define ARMOR_HEADER "-----BEGIN SSH SIGNATURE-----\n"
#define ARMOR_FOOTER "-----END SSH SIGNATURE-----"
#define ARMOR_COLUMNS 70

int sshsig_armor(const uint8_t *blob, size_t len, struct buf *out, struct err *err)
{
	struct buf base64 = BUF_INIT(2 * SSHSIG_MAX_BYTES);
	text_base64(&base64, blob, len);
	buf_add_text(out, ARMOR_HEADER);
	for (size_t at = 0; at < base64.len; at += ARMOR_COLUMNS) {
		size_t left = base64.len - at;
		buf_add(out, base64.data + at, left < ARMOR_COLUMNS ? left : ARMOR_COLUMNS);
		buf_add_char(out, '\n');
	}
	buf_add_text(out, ARMOR_FOOTER "\n");
	int result = buf_check(&base64, err) || buf_check(out, err) ? -1 : 0;
	buf_release(&base64);
	return result;
}

/* text without CR before LF and without blank lines around, into plain. */
static void normalise(const char *text, size_t len, struct buf *plain)
{
	while (len && (text[0] == '\n' || (text[0] == '\r' && len > 1 && text[1] == '\n'))) {
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			buf_add_char(plain, text[i]);
	while (plain->len && plain->data[plain->len - 1] == '\n')
		plain->data[--plain->len] = '\0';
}

static const char *dearmor(const struct buf *plain, struct buf *base64, struct buf *blob)
{
	size_t head = strlen(ARMOR_HEADER), foot = strlen(ARMOR_FOOTER);
	if (plain->len < head + foot || memcmp(plain->data, ARMOR_HEADER, head) != 0)
		return "it does not begin with -----BEGIN SSH SIGNATURE-----";
	const char *footer = plain->data + plain->len - foot;
	if (memcmp(footer, ARMOR_FOOTER, foot) != 0 || footer[-1] != '\n')
		return "it does not end with -----END SSH SIGNATURE-----";
	const char *line = plain->data + head;
	while (line < footer) {
		const char *newline = memchr(line, '\n', (size_t)(footer - line));
		if (!newline || newline == line)
			return "it has a blank line";
		buf_add(base64, line, (size_t)(newline - line));
		line = newline + 1;
	}
	if (!base64->len || !text_unbase64(base64->data, base64->len, blob))
		return "its base64 is not canonical";
	return NULL;
}

int sshsig_dearmor(const char *text, size_t len, struct buf *blob, struct err *err)
{
	struct buf plain = BUF_INIT(SSHSIG_MAX_BYTES), base64 = BUF_INIT(SSHSIG_MAX_BYTES);
	const char *why = len > SSHSIG_MAX_BYTES ? "it is larger than a signature can be" : NULL;
	if (!why) {
		normalise(text, len, &plain);
		why = dearmor(&plain, &base64, blob);
	}
	buf_release(&plain);
	buf_release(&base64);
	if (!why)
		return buf_check(blob, err);
	err_refuse(
		err, "signature", "not the armored signature that ssh-keygen -Y sign writes: %s", why);
	return err_hint(err, "give the .sig file itself, one signature and nothing else in it");
}
