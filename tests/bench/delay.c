/*
 * A network between client and server: a Unix socket that hands every byte on to another one, so
 * many microseconds later in each direction. Order is kept and nothing else is changed.
 *
 *   delay LISTEN TARGET ONE_WAY_US     ends when it is killed
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINKS_MAX 128
#define CHUNK_BYTES 16384

/* Bytes under way, in the order in which they came. */
struct chunk {
	struct chunk *next;
	int64_t due_ns;
	size_t len, sent;
	char bytes[CHUNK_BYTES];
};

/* One direction of a link. */
struct way {
	int from, to;
	bool ended, closed; /* nothing more comes; nothing more will be handed on */
	struct chunk *head, *tail;
};

struct link {
	bool used;
	struct way way[2];
};

static struct link link_of[LINKS_MAX];
static int64_t delay_ns;

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(const char *path, bool listening)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(path) >= sizeof address.sun_path)
		give_up(path);
	memcpy(address.sun_path, path, strlen(path));
	if (listening ? bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, LINKS_MAX)
				  : connect(fd, (struct sockaddr *)&address, sizeof address))
		give_up(path);
	return fd;
}

static void link_open(int client, const char *target)
{
	int server = open_socket(target, false), i = 0;
	while (i < LINKS_MAX && link_of[i].used)
		i++;
	if (i == LINKS_MAX)
		give_up("too many connections");
	link_of[i] = (struct link){ true, { { .from = client, .to = server },
		{ .from = server, .to = client } } };
}

static void take(struct way *way)
{
	struct chunk *chunk = malloc(sizeof *chunk);
	ssize_t n = chunk ? recv(way->from, chunk->bytes, sizeof chunk->bytes, 0) : 0;
	if (n <= 0) {
		free(chunk);
		way->ended = true;
		return;
	}
	chunk->next = NULL;
	chunk->due_ns = now_ns() + delay_ns;
	chunk->len = (size_t)n;
	chunk->sent = 0;
	*(way->head ? &way->tail->next : &way->head) = chunk;
	way->tail = chunk;
}

static void hand_on(struct way *way, int64_t now)
{
	while (way->head && way->head->due_ns <= now) {
		struct chunk *chunk = way->head;
		ssize_t n = send(
			way->to, chunk->bytes + chunk->sent, chunk->len - chunk->sent, MSG_NOSIGNAL);
		chunk->sent = n < 0 ? chunk->len : chunk->sent + (size_t)n;
		if (chunk->sent < chunk->len)
			continue;
		way->head = chunk->next;
		free(chunk);
	}
	if (way->ended && !way->head && !way->closed) {
		shutdown(way->to, SHUT_WR);
		way->closed = true;
	}
}

static void link_turn(struct link *link, int64_t now, int64_t *next_ns)
{
	for (int w = 0; w < 2; w++) {
		struct way *way = &link->way[w];
		hand_on(way, now);
		if (way->head && (!*next_ns || way->head->due_ns < *next_ns))
			*next_ns = way->head->due_ns;
	}
	if (link->way[0].closed && link->way[1].closed) {
		close(link->way[0].from);
		close(link->way[1].from);
		link->used = false;
	}
}

/* Whatever is due is handed on, then wait for bytes, or for the next that is due. */
static void turn(int listener, const char *target)
{
	static struct pollfd fds[2 * LINKS_MAX + 1];
	static struct way *ways[2 * LINKS_MAX + 1];
	int64_t now = now_ns(), next_ns = 0;
	nfds_t n = 1;
	fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (int i = 0; i < LINKS_MAX; i++) {
		if (link_of[i].used)
			link_turn(&link_of[i], now, &next_ns);
		for (int w = 0; link_of[i].used && w < 2; w++) {
			struct way *way = &link_of[i].way[w];
			ways[n] = way;
			fds[n++] = (struct pollfd){ .fd = way->ended ? -1 : way->from, .events = POLLIN };
		}
	}
	int64_t wait_ns = next_ns - now_ns();
	struct timespec wait = { .tv_sec = wait_ns > 0 ? wait_ns / 1000000000 : 0,
		.tv_nsec = wait_ns > 0 ? wait_ns % 1000000000 : 0 };
	if (ppoll(fds, n, next_ns ? &wait : NULL, NULL) < 0 && errno != EINTR)
		give_up("poll");
	for (nfds_t i = 1; i < n; i++)
		if (fds[i].revents)
			take(ways[i]);
	if (fds[0].revents)
		link_open(accept(listener, NULL, NULL), target);
}

int main(int argc, char **argv)
{
	int listener;
	if (argc != 4)
		return 2;
	delay_ns = strtol(argv[3], NULL, 10) * 1000;
	prctl(PR_SET_TIMERSLACK, 1ul);
	listener = open_socket(argv[1], true);
	for (;;)
		turn(listener, argv[2]);
}
