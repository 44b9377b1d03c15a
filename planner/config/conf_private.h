/* Between conf_lines.c, which reads lines, and conf.c, which knows the keys. */
#ifndef PGDOCKET_CONF_PRIVATE_H
#define PGDOCKET_CONF_PRIVATE_H

#include "arena.h"
#include "conf.h"

#define CONF_WAVE_SECTION "wave" /* [wave NAME] */
#define CONF_LINE_MAX 200        /* inih cuts longer lines; we refuse them */

struct conf_reader {
	struct arena *arena;
	struct conf *conf;
	struct err *err;
	size_t at;                   /* next byte of conf->text */
	int line;                    /* that inih was given last, from 1 */
	bool indented;               /* that line */
	char section[CONF_LINE_MAX]; /* as it stands between the brackets, blanks around it off */
	char key[CONF_LINE_MAX];     /* last key; continued by indented lines; empty: none */
	int key_line;
	char *value;       /* of key so far, in the arena; NULL: none open */
	const char **seen; /* "section\nkey" of all keys so far */
	size_t seens;
};

/* Calls conf_add_wave for each [wave NAME] and conf_set for each key; stops at the first error. */
int conf_read_lines(struct conf_reader *reader, struct err *err) MUST_CHECK;
/*
 * ERR_CONFIG with file and line (of the key, when one is being set); and of the file as a whole.
 * Return -1.
 */
int conf_error(const struct conf_reader *reader, struct err *err, const char *format, ...)
	PRINTF_LIKE(3, 4);
int conf_whole_error(const struct conf_reader *reader, struct err *err, const char *format, ...)
	PRINTF_LIKE(3, 4);

bool conf_section_known(const char *section);
int conf_set(struct conf_reader *reader, const char *section, const char *name, const char *value,
	     struct err *err) MUST_CHECK;
int conf_add_wave(struct conf_reader *reader, const char *name, struct err *err) MUST_CHECK;

#endif
