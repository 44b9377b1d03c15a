/* Progress on a stream: a bar that redraws itself, or a line for every tenth, or nothing. */
#include "progress.h"
#include <string.h>
#include <unistd.h>
#include "clock.h"

#define BAR_WIDTH 30
#define REDRAW_US 100000

void progress_start(struct progress *progress, FILE *stream, enum progress_mode mode,
	const char *title, int64_t total)
{
	*progress = (struct progress){
		.stream = stream,
		.title = title,
		.total = total,
		.last_percent = 0,
		.started_us = clock_monotonic_us(),
		.silent = mode == PROGRESS_NONE,
		.bar = mode == PROGRESS_AUTO && isatty(fileno(stream)) == 1,
	};
}

static int percent(const struct progress *progress)
{
	return progress->total > 0 ? (int)(progress->done * 100 / progress->total) : 100;
}

static void draw_bar(struct progress *progress, const char *note)
{
	int filled = percent(progress) * BAR_WIDTH / 100;
	char bar[BAR_WIDTH + 1];
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', (size_t)(filled < 0 ? 0 : filled > BAR_WIDTH ? BAR_WIDTH : filled));
	bar[BAR_WIDTH] = '\0';
	fprintf(progress->stream, "\r\033[K%s [%s] %lld/%lld %.40s", progress->title, bar,
		(long long)progress->done, (long long)progress->total, note ? note : "");
	fflush(progress->stream);
}

void progress_update(struct progress *progress, int64_t done, const char *note)
{
	progress->done = done;
	if (progress->silent)
		return;
	if (!progress->bar) {
		int now = percent(progress) / 10 * 10;
		if (now > progress->last_percent)
			fprintf(progress->stream, "%s: %lld of %lld\n", progress->title, (long long)done,
				(long long)progress->total);
		progress->last_percent = now > progress->last_percent ? now : progress->last_percent;
		return;
	}
	int64_t now_us = clock_monotonic_us();
	if (now_us - progress->last_drawn_us < REDRAW_US && done < progress->total)
		return;
	progress->last_drawn_us = now_us;
	draw_bar(progress, note);
}

void progress_clear(struct progress *progress)
{
	if (progress->bar && !progress->silent) {
		fputs("\r\033[K", progress->stream);
		fflush(progress->stream);
		progress->last_drawn_us = 0;
	}
}

void progress_end(struct progress *progress)
{
	progress_clear(progress);
	progress->silent = true;
}
