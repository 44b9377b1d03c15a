/* Time as microseconds UTC and its two text forms. Knows no time zone and no locale. */
#include "clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Floor division, so that times before 1970 have a positive fraction. */
static time_t whole_seconds(int64_t us)
{
	return (time_t)(us / 1000000 - (us % 1000000 < 0));
}

static void write_parts(int64_t us, char *out, size_t size)
{
	time_t seconds = whole_seconds(us);
	struct tm tm = { 0 };
	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900)
		memset(&tm, 0, sizeof(tm));
	strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
}

void clock_seconds(int64_t us, char out[CLOCK_SECONDS_SIZE])
{
	write_parts(us, out, CLOCK_SECONDS_SIZE);
	memcpy(out + strlen(out), "Z", 2);
}

struct clock_text clock_text(int64_t us)
{
	struct clock_text out;
	clock_seconds(us, out.text);
	return out;
}

void clock_micros(int64_t us, char out[CLOCK_MICROS_SIZE])
{
	write_parts(us, out, CLOCK_MICROS_SIZE);
	int fraction = (int)(us - (int64_t)whole_seconds(us) * 1000000);
	size_t used = strlen(out);
	snprintf(out + used, CLOCK_MICROS_SIZE - used, ".%06dZ", fraction % 1000000);
}

bool clock_parse(const char *text, int64_t *us)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return false;
	int64_t value = (int64_t)timegm(&tm) * 1000000;
	char again[CLOCK_MICROS_SIZE];
	clock_seconds(value, again);
	if (strcmp(text, again) != 0) {
		int fraction = 0;
		for (int i = 1; i <= 6 && rest[0] == '.' && rest[i] >= '0' && rest[i] <= '9'; i++)
			fraction = fraction * 10 + (rest[i] - '0');
		value += fraction;
		clock_micros(value, again);
		if (strcmp(text, again) != 0)
			return false;
	}
	*us = value;
	return true;
}
