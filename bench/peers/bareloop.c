//go:build ignore

/*
 * bareloop: the barest sender and receiver that can be written against the
 * same system calls as netab's: send and recv in a loop, one pinned thread
 * each, over 127.0.0.1 of the namespace it is started in.
 *
 *   bareloop tcp|udp|tcp-rr|udp-rr MESSAGE_BYTES SOURCE_CPU SINK_CPU
 *
 * rr is request/response: each message is answered by one of the same size
 * before the next is sent.
 *
 * It prints "ready" once the sockets are connected, reads its schedule from
 * stdin until that is closed, one window a line, "START COUNT END" in ns of
 * CLOCK_MONOTONIC, works it off, and prints for each window what the sink
 * received from COUNT to END: "BYTES MESSAGES".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_WINDOWS 4096
#define TCP_RECEIVE (128 << 10) /* what netab's and iperf3's TCP sinks read at most */
#define DRAIN_NS 3000000

struct mark {
	int64_t bytes, messages;
};

struct end {
	int fd, cpu;
	size_t size;
};

static struct {
	int64_t start, count, end;
} windows[MAX_WINDOWS];
static struct mark marks[2 * MAX_WINDOWS]; /* the sink's, at COUNT and END of each window */
static int window_count;
static int stride; /* messages between two looks at the clock */
static int responds; /* request/response */
static atomic_int stop;

static void die(const char *what)
{
	fprintf(stderr, "bareloop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* vDSO: 20-30 ns */
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_until(int64_t instant)
{
	struct timespec t = { instant / 1000000000, instant % 1000000000 };

	while (now() < instant)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static char *enter(const struct end *e)
{
	cpu_set_t set;
	char *buf = malloc(e->size);

	if (!buf)
		die("allocate the message");
	for (size_t i = 0; i < e->size; i++)
		buf[i] = i * 167 + (i >> 8);
	CPU_ZERO(&set);
	CPU_SET(e->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pin a thread");
	if (prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0))
		die("set the timer slack");
	return buf;
}

static void *source(void *arg)
{
	const struct end *e = arg;
	char *buf = enter(e);

	for (int w = 0; w < window_count; w++) {
		sleep_until(windows[w].start);
		for (int left = 1;; left--) {
			if (left == 0) {
				if (now() >= windows[w].end)
					break;
				left = stride;
			}
			if (send(e->fd, buf, e->size, MSG_NOSIGNAL) < 0) {
				if (atomic_load_explicit(&stop, memory_order_relaxed))
					return NULL;
				if (responds || (errno != EINTR && errno != ENOBUFS))
					die("send");
			}
			if (responds && recv(e->fd, buf, e->size, MSG_WAITALL) <= 0) {
				if (atomic_load_explicit(&stop, memory_order_relaxed))
					return NULL;
				die("receive a response");
			}
		}
	}
	return NULL;
}

static int64_t edge(int i)
{
	return i % 2 ? windows[i / 2].end : windows[i / 2].count;
}

static void *sink(void *arg)
{
	const struct end *e = arg;
	char *buf = enter(e);
	struct mark seen = { 0, 0 };
	int passed = 0;

	for (int left = 1;; left--) {
		ssize_t n = recv(e->fd, buf, e->size, 0);

		if (n <= 0) {
			if (atomic_load_explicit(&stop, memory_order_relaxed))
				break;
			if (n < 0 && errno == EINTR)
				continue;
			die(n ? "recv" : "recv: the source closed the connection");
		}
		if (responds && send(e->fd, buf, n, MSG_NOSIGNAL) < 0 &&
		    !atomic_load_explicit(&stop, memory_order_relaxed))
			die("send a response");
		if (left <= 1) {
			int64_t t = now();

			while (passed < 2 * window_count && t >= edge(passed))
				marks[passed++] = seen;
			left = stride + 1;
		}
		seen.bytes += n;
		seen.messages++;
	}
	while (passed < 2 * window_count)
		marks[passed++] = seen;
	return NULL;
}

static int open_socket(int type)
{
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0)
		die("open a socket");
	if (type == SOCK_STREAM && responds && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		die("TCP_NODELAY");
	if (type == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5))
		die("congestion control cubic");
	return fd;
}

static struct sockaddr_in name_of(int fd)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &size))
		die("getsockname");
	return a;
}

static void connect_to(int fd, struct sockaddr_in a)
{
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
}

/* open_pair leaves all buffers at the kernel's own sizes. */
static void open_pair(int type, int *source_fd, int *sink_fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int bound = open_socket(type);

	*source_fd = open_socket(type);
	if (bind(bound, (struct sockaddr *)&any, sizeof(any)))
		die("bind");
	if (type == SOCK_STREAM && listen(bound, 1))
		die("listen");
	connect_to(*source_fd, name_of(bound));
	if (type == SOCK_DGRAM) {
		connect_to(bound, name_of(*source_fd));
		*sink_fd = bound;
		return;
	}
	*sink_fd = accept(bound, NULL, NULL);
	if (*sink_fd < 0)
		die("accept");
	close(bound);
}

static void read_windows(void)
{
	long long start, count, end;

	while (scanf("%lld %lld %lld", &start, &count, &end) == 3) {
		if (window_count == MAX_WINDOWS) {
			fprintf(stderr, "bareloop: more than %d windows\n", MAX_WINDOWS);
			exit(1);
		}
		windows[window_count].start = start;
		windows[window_count].count = count;
		windows[window_count++].end = end;
	}
	if (!window_count) {
		fprintf(stderr, "bareloop: no window on stdin: give START COUNT END\n");
		exit(1);
	}
}

static void run(struct end *from, struct end *to)
{
	pthread_t threads[2];

	if (pthread_create(&threads[0], NULL, sink, to) || pthread_create(&threads[1], NULL, source, from))
		die("start a thread");
	sleep_until(windows[window_count - 1].end + DRAIN_NS);
	atomic_store(&stop, 1);
	shutdown(from->fd, SHUT_RDWR);
	shutdown(to->fd, SHUT_RDWR);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	struct end from, to;
	const char *kind = argc == 5 ? argv[1] : "";
	int tcp = !strcmp(kind, "tcp") || !strcmp(kind, "tcp-rr");

	responds = !strcmp(kind, "tcp-rr") || !strcmp(kind, "udp-rr");
	if ((!tcp && !responds && strcmp(kind, "udp")) || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: bareloop tcp|udp|tcp-rr|udp-rr MESSAGE_BYTES SOURCE_CPU SINK_CPU\n");
		return 2;
	}
	from.size = to.size = atoi(argv[2]);
	from.cpu = atoi(argv[3]);
	to.cpu = atoi(argv[4]);
	if (tcp && !responds && to.size < TCP_RECEIVE)
		to.size = TCP_RECEIVE;
	/* Edges are seen some 20 us late at most, and messages of nobody's window
	 * that are taken for the last one's are 15 at most, of tens of thousands. A
	 * transaction takes as long as that by itself. */
	stride = from.size < 8192 && !responds ? 16 : 1;
	open_pair(tcp ? SOCK_STREAM : SOCK_DGRAM, &from.fd, &to.fd);
	printf("ready\n");
	fflush(stdout);
	read_windows();
	run(&from, &to);
	for (int i = 0; i < window_count; i++)
		printf("%lld %lld\n", (long long)(marks[2 * i + 1].bytes - marks[2 * i].bytes),
		       (long long)(marks[2 * i + 1].messages - marks[2 * i].messages));
	return 0;
}
