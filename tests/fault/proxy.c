/*
 * A proxy that knows PostgreSQL's messages, between a client and a server on Unix sockets. It
 * numbers the messages of each direction over all connections, and does at chosen ones what
 * networks, failing servers and liars do. It knows nothing of pgdocket, and changes nothing that no
 * rule asks for.
 *
 *     proxy --listen DIR --server DIR [--port 5432] [--log FILE] [option...] [DIRECTION:WHICH=ACTION...]
 *
 * Goes to the background once it listens; its process id is the output. SIGTERM ends it.
 *
 * DIRECTION  client or server: who sent the message
 * WHICH      a number, from 1; or TEXT or TEXT#N: the first or N-th message that holds TEXT; with $ behind
 *            TEXT, a string of the message ends there
 * ACTION     cut     the message goes on, then both sides are closed
 *            fin     both sides are closed, the message is lost
 *            hold    the message and everything behind it is swallowed, both sides stay open
 *            orphan  the message is lost, the client's side is closed, the server's stays open
 *            stall   the message waits --pause-ms, and everything behind it
 *            dup     the message goes on twice
 *            forge=TAG  client, a Parse: the server gets an empty DO, the client TAG for an answer
 *            KIND    one of the lies below takes the message's place, and nothing follows it:
 *                    auth giant-error giant-notice giant-row notices parameters nul-parameter
 *                    negative short garbage copy
 * --delay-ms N    each message is so late, in both directions
 * --dribble-us N  each byte comes alone, so long behind the one before
 * --pause-ms N    for stall; a connection that is held is cut behind it (default: never)
 * --log FILE      a line for each message: direction, number, connection, type, length, text
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128
#define RULES_MAX 16
#define READ_BYTES 65536

enum direction { FROM_CLIENT, FROM_SERVER };

enum action {
	ACTION_NONE, ACTION_CUT, ACTION_FIN, ACTION_HOLD, ACTION_ORPHAN, ACTION_STALL, ACTION_DUP,
	ACTION_FORGE, ACTION_LIE
};

struct rule {
	enum direction direction;
	long number;      /* of the message, or of those that hold text */
	const char *text; /* NULL: any message */
	size_t text_length; /* with its NUL, where the message must have one */
	long seen;        /* messages that held text */
	enum action action;
	const struct lie *lie;
	const char *tag; /* forge */
};

struct chunk {
	struct chunk *next;
	int64_t due_us;
	size_t length, sent;
	char bytes[];
};

/* One direction of a connection: read from one socket, framed, queued for the other. */
struct lane {
	int from, to;
	char *in;
	size_t in_length, in_size;
	struct chunk *head, **tail;
	int64_t last_due_us;
	const struct lie *endless; /* goes on whenever the queue is empty */
};

struct connection {
	bool used, started, held;
	int64_t cut_at_us; /* 0: not yet known */
	const char *tag;   /* forge: what the next empty DO is to be called */
	struct lane lane[2];
};

struct lie {
	const char *name;
	const char *bytes; /* what stands in the message's place */
	size_t length;
	const char *more;  /* what then comes without end; NULL: silence */
	size_t more_length;
};

#define BYTES(text) text, sizeof text - 1
#define FILLER "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define FILLER_3K FILLER_1K FILLER_1K FILLER_1K
#define FILLER_1K FILLER_256 FILLER_256 FILLER_256 FILLER_256
#define FILLER_256 FILLER FILLER FILLER FILLER

static const struct lie lies[] = {
	{ "auth", BYTES("R\0\0\0\10\0\0\0\143"), NULL, 0 },
	{ "giant-error", BYTES("E\77\377\377\377SERROR\0CXX000\0M"), BYTES(FILLER_3K) },
	{ "giant-notice", BYTES("N\77\377\377\377SNOTICE\0C00000\0M"), BYTES(FILLER_3K) },
	{ "giant-row", BYTES("D\77\377\377\377\0\1\77\377\377\360"), BYTES(FILLER_3K) },
	{ "notices", BYTES(""), BYTES("N\0\0\0\33SNOTICE\0C00000\0Mhello\0\0") },
	{ "parameters", BYTES(""), BYTES("S\0\0\0\14abc\0def\0") },
	{ "nul-parameter", BYTES("S\0\0\0\10ab\0\0S\0\0\0\6\0\0S\0\0\0\5a"), NULL, 0 },
	{ "negative", BYTES("Z\377\377\377\360I"), NULL, 0 },
	{ "short", BYTES("Z\0\0\0\2I"), NULL, 0 },
	{ "garbage", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), NULL, 0 },
	{ "copy", BYTES("G\0\0\0\7\0\0\0"), NULL, 0 },
};

static struct connection connections[CONNECTIONS_MAX];
static struct rule rules[RULES_MAX];
static int rule_count;
static long numbers[2];
static int64_t delay_us, dribble_us, pause_us;
static FILE *log_file;
static struct sockaddr_un server_address = { .sun_family = AF_UNIX };

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *must(void *memory)
{
	if (!memory)
		die("memory");
	return memory;
}

/* --- queues --- */

static void enqueue_chunk(struct lane *lane, const char *bytes, size_t length, int64_t due_us)
{
	struct chunk *chunk = must(malloc(sizeof *chunk + length));
	chunk->next = NULL;
	chunk->due_us = lane->last_due_us = due_us;
	chunk->length = length;
	chunk->sent = 0;
	memcpy(chunk->bytes, bytes, length);
	*lane->tail = chunk;
	lane->tail = &chunk->next;
}

static void enqueue(struct lane *lane, const char *bytes, size_t length)
{
	int64_t due_us = now_us() + delay_us;
	if (due_us < lane->last_due_us)
		due_us = lane->last_due_us;
	if (!dribble_us) {
		enqueue_chunk(lane, bytes, length, due_us);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		due_us += dribble_us;
		enqueue_chunk(lane, bytes + i, 1, due_us);
	}
}

static void drop_queue(struct lane *lane)
{
	while (lane->head) {
		struct chunk *chunk = lane->head;
		lane->head = chunk->next;
		free(chunk);
	}
	lane->tail = &lane->head;
}

/* What is due is written. false: the other side is gone. */
static bool flush(struct lane *lane)
{
	if (!lane->head && lane->endless)
		enqueue(lane, lane->endless->more, lane->endless->more_length);
	while (lane->head && lane->head->due_us <= now_us()) {
		struct chunk *chunk = lane->head;
		ssize_t n = send(lane->to, chunk->bytes + chunk->sent, chunk->length - chunk->sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		chunk->sent += (size_t)n;
		if (chunk->sent < chunk->length)
			return true;
		if (!(lane->head = chunk->next))
			lane->tail = &lane->head;
		free(chunk);
	}
	return true;
}

/* --- connections --- */

static void close_side(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget(struct connection *c)
{
	close_side(&c->lane[FROM_CLIENT].from);
	close_side(&c->lane[FROM_CLIENT].to);
	for (int d = 0; d < 2; d++) {
		drop_queue(&c->lane[d]);
		free(c->lane[d].in);
	}
	memset(c, 0, sizeof *c);
}

/* What is queued still goes out, as far as the other side takes it at once. */
static void cut(struct connection *c)
{
	for (int d = 0; d < 2; d++)
		if (c->lane[d].to >= 0)
			flush(&c->lane[d]);
	forget(c);
}

static void hold(struct connection *c)
{
	c->held = true;
	c->cut_at_us = pause_us ? now_us() + pause_us : 0;
}

static void adopt(int client)
{
	struct connection *c = connections;
	while (c < connections + CONNECTIONS_MAX && c->used)
		c++;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c == connections + CONNECTIONS_MAX || server < 0 ||
		connect(server, (struct sockaddr *)&server_address, sizeof server_address)) {
		close_side(&server);
		close(client);
		return;
	}
	c->used = true;
	for (int d = 0; d < 2; d++) {
		struct lane *lane = &c->lane[d];
		lane->from = d == FROM_CLIENT ? client : server;
		lane->to = d == FROM_CLIENT ? server : client;
		lane->tail = &lane->head;
	}
}

/* --- messages --- */

static void log_message(const struct connection *c, enum direction d, const char *bytes, size_t n)
{
	bool typed = d == FROM_SERVER || c->started;
	if (!log_file)
		return;
	fprintf(log_file, "%s %ld %d %c %zu ", d == FROM_CLIENT ? "client" : "server", numbers[d],
		(int)(c - connections), typed ? bytes[0] : '-', n);
	for (size_t i = typed ? 5 : 4; i < n && i < 200; i++)
		if (bytes[i])
			fputc(bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : ' ', log_file);
	fputc('\n', log_file);
	fflush(log_file);
}

static struct rule *rule_for(enum direction d, const char *bytes, size_t length)
{
	struct rule *found = NULL;
	for (int i = 0; i < rule_count; i++) {
		struct rule *rule = &rules[i];
		if (rule->direction != d)
			continue;
		if (!rule->text && rule->number == numbers[d])
			found = rule;
		if (rule->text && memmem(bytes, length, rule->text, rule->text_length) &&
			++rule->seen == rule->number)
			found = rule;
	}
	return found;
}

/* A Parse whose statement is another, of the same name and without parameters. */
static void enqueue_parse(struct lane *lane, const char *name, const char *sql)
{
	char message[512] = "P";
	size_t name_size = strlen(name) + 1, sql_size = strlen(sql) + 1;
	size_t length = 4 + name_size + sql_size + 2;
	message[3] = (char)(length >> 8);
	message[4] = (char)length;
	memcpy(message + 5, name, name_size);
	memcpy(message + 5 + name_size, sql, sql_size);
	enqueue(lane, message, length + 1);
}

static void enqueue_complete(struct lane *lane, const char *tag)
{
	char message[128] = "C";
	size_t size = strlen(tag) + 1;
	message[4] = (char)(4 + size);
	memcpy(message + 5, tag, size);
	enqueue(lane, message, 5 + size);
}

/* true: the message went on in another guise. */
static bool forged(struct connection *c, enum direction d, const char *bytes, size_t length)
{
	if (d != FROM_SERVER || !c->tag || length != 8 || memcmp(bytes, "C\0\0\0\7DO", 8) != 0)
		return false;
	enqueue_complete(&c->lane[d], c->tag);
	c->tag = NULL;
	return true;
}

static void tell_lie(struct connection *c, struct lane *lane, const struct lie *lie)
{
	enqueue(lane, lie->bytes, lie->length);
	lane->endless = lie->more ? lie : NULL;
	c->held = true;
}

/* false: the connection is no more. */
static bool act(struct connection *c, enum direction d, struct rule *rule, const char *bytes,
	size_t length)
{
	struct lane *lane = &c->lane[d];
	switch (rule->action) {
	case ACTION_CUT:
		enqueue(lane, bytes, length);
		cut(c);
		return false;
	case ACTION_FIN: cut(c); return false;
	case ACTION_HOLD: hold(c); return true;
	case ACTION_ORPHAN:
		flush(&c->lane[FROM_CLIENT]);
		close_side(&c->lane[FROM_CLIENT].from);
		c->lane[FROM_SERVER].to = -1;
		hold(c);
		return true;
	case ACTION_STALL:
		lane->last_due_us = now_us() + pause_us;
		enqueue(lane, bytes, length);
		return true;
	case ACTION_DUP:
		enqueue(lane, bytes, length);
		enqueue(lane, bytes, length);
		return true;
	case ACTION_FORGE:
		c->tag = rule->tag;
		enqueue_parse(lane, bytes + 5, "DO 'BEGIN END'");
		return true;
	case ACTION_LIE: tell_lie(c, lane, rule->lie); return true;
	case ACTION_NONE:
	default: enqueue(lane, bytes, length); return true;
	}
}

static bool take(struct connection *c, enum direction d, const char *bytes, size_t length)
{
	numbers[d]++;
	log_message(c, d, bytes, length);
	struct rule *rule = rule_for(d, bytes, length);
	if (d == FROM_CLIENT)
		c->started = true;
	if (rule)
		return act(c, d, rule, bytes, length);
	if (!forged(c, d, bytes, length))
		enqueue(&c->lane[d], bytes, length);
	return true;
}

/* The length of the message that the bytes begin with; 0: not yet known. */
static size_t message_length(const struct connection *c, enum direction d, const struct lane *lane)
{
	size_t skip = d == FROM_SERVER || c->started ? 1 : 0;
	if (lane->in_length < skip + 4)
		return 0;
	const unsigned char *p = (const unsigned char *)lane->in + skip;
	return skip + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

/* false: the connection is no more. */
static bool frame(struct connection *c, enum direction d)
{
	struct lane *lane = &c->lane[d];
	size_t length;
	while (!c->held && (length = message_length(c, d, lane)) && length <= lane->in_length) {
		if (!take(c, d, lane->in, length))
			return false;
		memmove(lane->in, lane->in + length, lane->in_length -= length);
	}
	return true;
}

/* false: the connection is no more. */
static bool receive(struct connection *c, enum direction d)
{
	struct lane *lane = &c->lane[d];
	if (lane->in_size - lane->in_length < READ_BYTES) {
		lane->in_size += READ_BYTES;
		lane->in = must(realloc(lane->in, lane->in_size));
	}
	ssize_t n = recv(lane->from, lane->in + lane->in_length, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		/* Gone in this direction: what is under way is delivered, then the rest is gone too. */
		for (struct chunk *chunk = lane->head; chunk; chunk = chunk->next)
			chunk->due_us = 0;
		cut(c);
		return false;
	}
	lane->in_length += (size_t)n;
	return frame(c, d);
}

/* --- the loop --- */

struct watch {
	struct pollfd fd[2 * CONNECTIONS_MAX + 1];
	struct connection *connection[2 * CONNECTIONS_MAX + 1];
	enum direction direction[2 * CONNECTIONS_MAX + 1];
	int count;
	int64_t due_us;
};

static void due(struct watch *w, int64_t at_us)
{
	if (at_us && (!w->due_us || at_us < w->due_us))
		w->due_us = at_us;
}

static void watch_lane(struct watch *w, struct connection *c, enum direction d)
{
	/* The lane that reads from this socket, and the one that writes to it. */
	struct lane *in = &c->lane[d], *out = &c->lane[!d];
	short events = c->held ? 0 : POLLIN;
	if (out->head && out->head->due_us > now_us())
		due(w, out->head->due_us);
	else if (out->head || out->endless)
		events |= POLLOUT;
	if (in->from < 0 || !events)
		return;
	w->fd[w->count] = (struct pollfd){ in->from, events, 0 };
	w->connection[w->count] = c;
	w->direction[w->count++] = d;
}

static void serve_ready(struct watch *w)
{
	for (int i = 1; i < w->count; i++) {
		struct connection *c = w->connection[i];
		enum direction d = w->direction[i];
		if (!c->used || !w->fd[i].revents || c->lane[d].from != w->fd[i].fd)
			continue;
		if (!flush(&c->lane[!d])) {
			forget(c);
			continue;
		}
		if (w->fd[i].events & POLLIN && w->fd[i].revents & (POLLIN | POLLHUP | POLLERR))
			receive(c, d);
		else if (w->fd[i].revents & (POLLHUP | POLLERR))
			forget(c);
	}
}

static void turn(int listener)
{
	struct watch w = { .count = 1, .fd = { { listener, POLLIN, 0 } } };
	for (struct connection *c = connections; c < connections + CONNECTIONS_MAX; c++) {
		if (c->used && c->cut_at_us && c->cut_at_us <= now_us())
			forget(c);
		if (!c->used)
			continue;
		due(&w, c->cut_at_us);
		watch_lane(&w, c, FROM_CLIENT);
		watch_lane(&w, c, FROM_SERVER);
	}
	int64_t left_us = w.due_us ? w.due_us - now_us() : -1;
	struct timespec timeout = { left_us / 1000000, left_us % 1000000 * 1000 };
	if (w.due_us && left_us < 0)
		timeout = (struct timespec){ 0, 0 };
	if (ppoll(w.fd, (nfds_t)w.count, w.due_us ? &timeout : NULL, NULL) < 0)
		return;
	serve_ready(&w);
	for (struct connection *c = connections; c < connections + CONNECTIONS_MAX; c++)
		for (int d = 0; c->used && d < 2; d++)
			if (c->lane[d].to >= 0 && !flush(&c->lane[d]))
				forget(c);
	if (w.fd[0].revents & POLLIN) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0)
			adopt(client);
	}
}

/* --- command line --- */

static const struct lie *find_lie(const char *name)
{
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
		if (strcmp(lies[i].name, name) == 0)
			return &lies[i];
	return NULL;
}

static void parse_action(struct rule *rule, const char *text)
{
	static const char *const names[] = { "", "cut", "fin", "hold", "orphan", "stall", "dup" };
	for (size_t i = 1; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], text) == 0)
			rule->action = (enum action)i;
	if (strncmp(text, "forge=", 6) == 0) {
		rule->action = ACTION_FORGE;
		rule->tag = text + 6;
	}
	if ((rule->lie = find_lie(text)))
		rule->action = ACTION_LIE;
}

/* DIRECTION:WHICH=ACTION */
static bool parse_rule(char *text)
{
	struct rule *rule = &rules[rule_count];
	char *which = strchr(text, ':'), *action = which ? strchr(which, '=') : NULL, *end;
	if (!action || rule_count == RULES_MAX)
		return false;
	*which++ = *action++ = '\0';
	rule->direction = strcmp(text, "client") == 0 ? FROM_CLIENT : FROM_SERVER;
	if (rule->direction == FROM_SERVER && strcmp(text, "server") != 0)
		return false;
	rule->number = strtol(which, &end, 10);
	if (*end) {
		char *hash = strrchr(which, '#');
		rule->number = hash ? atol(hash + 1) : 1;
		if (hash)
			*hash = '\0';
		rule->text = which;
		rule->text_length = strlen(which);
		if (rule->text_length && which[rule->text_length - 1] == '$')
			which[rule->text_length - 1] = '\0';
	}
	parse_action(rule, action);
	rule_count++;
	return rule->action != ACTION_NONE && rule->number > 0;
}

static void socket_path(struct sockaddr_un *address, const char *directory, const char *port)
{
	address->sun_family = AF_UNIX;
	if (snprintf(address->sun_path, sizeof address->sun_path, "%s/.s.PGSQL.%s", directory, port) >=
		(int)sizeof address->sun_path) {
		errno = ENAMETOOLONG;
		die(directory);
	}
}

static int listen_at(const char *directory, const char *port)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socket_path(&address, directory, port);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 128))
		die(address.sun_path);
	return fd;
}

static void background(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0) {
		printf("%ld\n", (long)pid);
		exit(0);
	}
	setsid();
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 2; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 20; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			close(fd);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: proxy --listen DIR --server DIR [--port N] [--log FILE] [--delay-ms N] "
		"[--dribble-us N] [--pause-ms N] [client|server:WHICH=ACTION...]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "listen", 1, 0, 'l' }, { "server", 1, 0, 's' },
		{ "port", 1, 0, 'p' }, { "log", 1, 0, 'L' }, { "delay-ms", 1, 0, 'd' },
		{ "dribble-us", 1, 0, 'b' }, { "pause-ms", 1, 0, 'P' }, { 0 } };
	const char *own = NULL, *server = NULL, *port = "5432";
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'l': own = optarg; break;
		case 's': server = optarg; break;
		case 'p': port = optarg; break;
		case 'L': log_file = fopen(optarg, "we"); break;
		case 'd': delay_us = atoll(optarg) * 1000; break;
		case 'b': dribble_us = atoll(optarg); break;
		case 'P': pause_us = atoll(optarg) * 1000; break;
		default: return usage();
		}
	}
	for (int i = optind; i < argc; i++)
		if (!parse_rule(argv[i]))
			return usage();
	if (!own || !server)
		return usage();
	socket_path(&server_address, server, port);
	int listener = listen_at(own, port);
	background();
	for (;;)
		turn(listener);
}
