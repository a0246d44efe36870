/*
 * A forked reader of files that a target can stall. It holds nothing but one end of a socket and /proc: a reader
 * that hangs in the kernel cannot be killed before its read returns (FUSE waits uninterruptibly), and must then
 * keep nobody waiting for the end of our standard output.
 */
#include "libinspect/kernel/slowread.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CHUNK		 (16 * 1024)
#define PATIENT		 5    /* stalls that get the whole deadline; later ones a twentieth of it */
#define STALLS_MAX	 32   /* then everything is late: no more readers are left behind */
#define REAP_TRIES	 2500 /* of one that was killed and does not hang: at most half a second */
#define REAP_STEP_US	 200
#define REAP_STUCK_TRIES 5 /* of those that may hang for ever: 32 ms in all */

struct request {
	uint64_t max;
	char path[64];
};

/* A packet: n > 0 bytes follow; 0: the end; < 0: -errno. */
struct packet {
	int32_t n;
	char data[CHUNK];
};

struct slowread {
	int procfd;
	unsigned deadline_ms;
	int sock;    /* -EBADF: no reader runs */
	pid_t child; /* 0: no reader runs */
	struct {
		pid_t pid;    /* the process that stalled */
		pid_t reader; /* who was left behind there; 0: reaped */
	} stalls[STALLS_MAX];
	size_t n_stalls;
};

/* ---- the reader: a forked child of a program with unknown threads, so it neither allocates nor locks ---- */

static int send_packet(int sock, const struct packet *p, size_t data)
{
	size_t len = sizeof(p->n) + data;

	return send(sock, p, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

static int answer(int sock, int procfd, const struct request *rq, struct packet *p)
{
	uint64_t left = rq->max;
	int fd = openat(procfd, rq->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	ssize_t n = fd < 0 ? -errno : 1;

	while (n > 0 && left > 0) {
		n = read(fd, p->data, MIN_OF(left, sizeof(p->data)));
		n = n < 0 ? -errno : n;
		p->n = (int32_t)n;
		if (n > 0 && send_packet(sock, p, (size_t)n) < 0)
			break;
		left -= n > 0 ? (uint64_t)n : 0;
	}
	util_close(fd);
	p->n = n < 0 ? (int32_t)n : 0;
	return send_packet(sock, p, 0);
}

static void __attribute__((noreturn)) reader_main(int sock, int procfd)
{
	struct request rq;
	struct packet p;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sock = fcntl(sock, F_DUPFD, 3);
	procfd = fcntl(procfd, F_DUPFD, 3);
	if (sock < 0 || procfd < 0 || dup2(sock, 0) < 0 || dup2(procfd, 1) < 0)
		_exit(1);
	io_close_from(2);
	while (recv(0, &rq, sizeof(rq), 0) == (ssize_t)sizeof(rq)) {
		rq.path[sizeof(rq.path) - 1] = '\0';
		if (answer(0, 1, &rq, &p) < 0)
			break;
	}
	_exit(0);
}

/* ---- the asking side ---- */

int slowread_new(struct insp_sys *sys, struct slowread **ret)
{
	struct slowread *r;

	if (!sys->live)
		return -ENOTSUP;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->procfd = sys->procfd;
	r->deadline_ms = sys->deadline_ms;
	r->sock = -EBADF;
	*ret = r;
	return 0;
}

/*
 * No exit signal (flags 0): a library's child must not show up in the program's SIGCHLD handling, nor in its
 * wait() for any child. All arguments are 0, so their order, which differs by architecture, does not matter.
 */
static int start_reader(struct slowread *r)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (child == 0)
		reader_main(pair[1], r->procfd);
	util_close(pair[1]);
	if (child < 0) {
		int e = -errno;

		util_close(pair[0]);
		return e;
	}
	r->sock = pair[0];
	r->child = child;
	return 0;
}

/* A reader that waits for requests ends by itself; one that hangs is not waited for. */
static bool reap(pid_t child, int tries)
{
	for (; tries > 0; tries--) {
		if (waitpid(child, NULL, WNOHANG | __WALL) != 0)
			return true;
		if (tries > 1)
			usleep(REAP_STEP_US);
	}
	return false;
}

static void drop_reader(struct slowread *r, int tries)
{
	r->sock = util_close(r->sock);
	if (r->child > 0) {
		(void)kill(r->child, SIGKILL);
		(void)reap(r->child, tries);
	}
	r->child = 0;
}

struct slowread *slowread_free(struct slowread *r)
{
	if (!r)
		return NULL;
	drop_reader(r, REAP_TRIES);
	for (size_t i = 0; i < r->n_stalls; i++)
		if (r->stalls[i].reader > 0)
			(void)reap(r->stalls[i].reader, REAP_STUCK_TRIES);
	free(r);
	return NULL;
}

static void note_stall(struct slowread *r, pid_t pid)
{
	pid_t reader = r->child;

	r->sock = util_close(r->sock);
	r->child = 0;
	(void)kill(reader, SIGKILL);
	r->stalls[r->n_stalls].pid = pid;
	r->stalls[r->n_stalls].reader = reap(reader, 1) ? 0 : reader;
	r->n_stalls++;
}

static bool has_stalled(const struct slowread *r, pid_t pid)
{
	if (r->n_stalls == STALLS_MAX)
		return true;
	for (size_t i = 0; i < r->n_stalls; i++)
		if (r->stalls[i].pid == pid)
			return true;
	return false;
}

/* Waits for a packet until the time end. Its length, -ETIMEDOUT, -EPIPE when the reader died. */
static ssize_t receive(int sock, struct packet *p, int64_t end)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	for (;;) {
		int64_t left = end - io_now_ms();
		int n = poll(&pfd, 1, (int)MAX_OF(left, 0));
		ssize_t len;

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0)
			continue;
		len = recv(sock, p, sizeof(*p), MSG_DONTWAIT);
		if (len < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		return len < (ssize_t)sizeof(p->n) ? -EPIPE : len;
	}
}

static int collect(struct slowread *r, size_t max, struct strbuf *sb)
{
	unsigned ms = r->n_stalls < PATIENT ? r->deadline_ms : r->deadline_ms / 20 + 1;
	int64_t end = io_now_ms() + ms;
	struct packet p;

	for (;;) {
		ssize_t len = receive(r->sock, &p, end);

		if (len < 0)
			return (int)len;
		if (p.n <= 0)
			return p.n;
		if ((size_t)p.n > (size_t)len - sizeof(p.n) || (size_t)p.n > max - sb->len)
			return -EPROTO;
		strbuf_add(sb, p.data, (size_t)p.n);
	}
}

static int ask(struct slowread *r, const struct request *rq, struct strbuf *sb)
{
	int e = r->child > 0 ? 0 : start_reader(r);

	if (e < 0)
		return e;
	if (send(r->sock, rq, sizeof(*rq), MSG_NOSIGNAL) != (ssize_t)sizeof(*rq))
		return -EPIPE;
	return collect(r, rq->max, sb);
}

int slowread_read(struct slowread *r, pid_t pid, const char *file, size_t max, char **ret_data,
		  size_t *ret_len)
{
	struct request rq = { .max = max };
	struct strbuf sb = { 0 };
	char *data;
	size_t len;
	int e;

	if (has_stalled(r, pid))
		return -ETIMEDOUT;
	snprintf(rq.path, sizeof(rq.path), "%d/%s", pid, file);
	e = ask(r, &rq, &sb);
	if (e < 0) {
		strbuf_free(&sb);
		if (e == -ETIMEDOUT)
			note_stall(r, pid);
		else if (e == -EPIPE || e == -EPROTO)
			drop_reader(r, REAP_TRIES);
		return e;
	}
	len = sb.len;
	data = strbuf_take(&sb);
	if (!data)
		return -ENOMEM;
	*ret_data = data;
	*ret_len = len;
	return 0;
}
