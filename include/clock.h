/* Wall time is int64 microseconds since 1970 UTC; durations come from the monotonic clock. */
#ifndef PGDOCKET_CLOCK_H
#define PGDOCKET_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_us(void);
int64_t clock_monotonic_us(void);

#define CLOCK_SECONDS_SIZE 21 /* 2026-11-22T07:30:00Z and NUL */
#define CLOCK_MICROS_SIZE 28  /* 2026-11-22T07:30:00.123456Z and NUL */
void clock_seconds(int64_t us, char out[CLOCK_SECONDS_SIZE]);
void clock_micros(int64_t us, char out[CLOCK_MICROS_SIZE]);
/* Seconds as a value: clock_text(us).text lives until the end of the statement. */
struct clock_text {
	char text[CLOCK_SECONDS_SIZE];
};
struct clock_text clock_text(int64_t us);
/* Accepts exactly what the two functions above write; a date that does not exist is refused. */
bool clock_parse(const char *text, int64_t *us);

#endif
