/*
 * Reading a file of a container whose file system may be the container's own (FUSE): a look-up, an open or a read that
 * its server never answers cannot be interrupted, not even by SIGKILL. So a forked child does all three. One that is
 * late is killed and left behind; it holds nothing that anybody waits for.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/sysc.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CHUNK	     (16 * 1024)
#define REAP_TRIES   20
#define REAP_STEP_US 100

/* n > 0: so many bytes of data; 0: the end of the file; < 0: -errno. */
struct packet {
	int32_t n;
	char data[CHUNK];
};

static int send_packet(int sock, const struct packet *p)
{
	size_t len = sizeof(p->n) + (p->n > 0 ? (size_t)p->n : 0);

	return send(sock, p, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

/* One byte more than max, so that the other side sees a file that is too large. */
static void send_file(int sock, int fd, size_t max)
{
	struct packet p;
	size_t left = max + 1;

	do {
		ssize_t n = read(fd, p.data, MIN_OF(left, sizeof(p.data)));

		p.n = n < 0 ? -errno : (int32_t)n;
		left -= n > 0 ? (size_t)n : 0;
	} while (send_packet(sock, &p) == 0 && p.n > 0 && left > 0);
}

void io_close_from(unsigned first)
{
	if (sysc_close_range(first, ~0U) == 0)
		return;
	/* compat: kernel < 5.9 */
	for (unsigned fd = first; fd < 65536; fd++)
		close((int)fd);
}

static void __attribute__((noreturn))
reader_main(int sock, int rootfd, const char *path, size_t max)
{
	struct packet failed;
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* not even standard output: whoever waits for its end would wait for us */
	sock = fcntl(sock, F_DUPFD, 3);
	rootfd = fcntl(rootfd, F_DUPFD, 3);
	if (sock < 0 || rootfd < 0 || dup2(sock, 0) < 0 || dup2(rootfd, 1) < 0)
		_exit(1);
	io_close_from(2);
	fd = insp_open_regular_in_root(1, path);
	failed.n = fd;
	if (fd < 0)
		(void)send_packet(0, &failed);
	else
		send_file(0, fd, max);
	_exit(0);
}

static ssize_t receive(int sock, struct packet *p, int64_t end)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	ssize_t len;
	int n;

	do {
		n = poll(&pfd, 1, (int)MAX_OF(end - io_now_ms(), 0));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	len = recv(sock, p, sizeof(*p), MSG_DONTWAIT);
	if (len < (ssize_t)sizeof(p->n) || p->n > len - (ssize_t)sizeof(p->n))
		return -EIO;
	return len;
}

static int collect(int sock, size_t max, int64_t end, struct strbuf *sb)
{
	struct packet p;

	do {
		ssize_t len = receive(sock, &p, end);

		if (len < 0)
			return (int)len;
		if (p.n > 0)
			strbuf_add(sb, p.data, (size_t)p.n);
		if (sb->len > max)
			return -EFBIG;
	} while (p.n > 0);
	return p.n;
}

/* It is about to end, unless it hangs in the kernel: then whoever adopts it waits. */
static void reap(pid_t child)
{
	(void)kill(child, SIGKILL);
	for (int i = 0; i < REAP_TRIES && waitpid(child, NULL, WNOHANG | __WALL) == 0; i++)
		usleep(REAP_STEP_US);
}

int io_read_in_root(int rootfd, const char *path, size_t max, unsigned deadline_ms,
		    struct io_buf *ret)
{
	_cleanup_close_ int ours = -EBADF;
	struct strbuf sb = { 0 };
	int pair[2], r;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	/* no exit signal: a library's child must not show in the program's wait(); the order of zeros is no matter */
	child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (child == 0)
		reader_main(pair[1], rootfd, path, max);
	r = child < 0 ? -errno : 0;
	util_close(pair[1]);
	if (r == 0) {
		r = collect(ours, max, io_now_ms() + deadline_ms, &sb);
		reap(child);
	}
	if (r == 0) {
		ret->len = sb.len;
		ret->data = strbuf_take(&sb);
		r = ret->data ? 0 : -ENOMEM;
	}
	strbuf_free(&sb);
	return r;
}
