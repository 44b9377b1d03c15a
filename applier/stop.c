/*
 * SIGINT and SIGTERM, counted: the first lets what runs finish, the second cancels it. Handlers do
 * nothing else.
 */
#include <signal.h>
#include <string.h>

#include "run.h"

static volatile sig_atomic_t requests, newest;

static void count(int number)
{
	newest = number;
	if (requests < 100)
		requests++;
}

/* Without SA_RESTART, so that poll returns at once. */
void stop_install(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = count;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int stop_requests(void)
{
	return requests;
}

bool stop_requested(void)
{
	return requests > 0;
}

const char *stop_signal(void)
{
	return newest == SIGTERM ? "SIGTERM" : "SIGINT";
}
