/*
 * Progress of long work: a bar that redraws itself on a terminal, plain lines elsewhere, or
 * nothing. Written to the stream that it was given; the only thing below main that writes for
 * people.
 */
#ifndef PGDOCKET_PROGRESS_H
#define PGDOCKET_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_NONE };

struct progress {
	FILE *stream;
	bool bar;          /* redraw in place */
	bool silent;
	const char *title; /* borrowed */
	int64_t total, done;
	int64_t last_drawn_us, started_us;
	int last_percent;
};

/* auto: a bar when stream is a terminal, plain lines otherwise. */
void progress_start(struct progress *progress, FILE *stream, enum progress_mode mode,
	const char *title, int64_t total);
/*
 * note: what is being worked on; borrowed for the call; may be NULL. Draws at most ten times a
 * second.
 */
void progress_update(struct progress *progress, int64_t done, const char *note);
/* Wipe the bar so that other lines can be written; the next update draws it again. */
void progress_clear(struct progress *progress);
void progress_end(struct progress *progress);

#endif
