#include "libinspect/base/slowopen.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STALLS_MAX   8 /* then no more children are left behind */
#define REAP_TRIES   20
#define REAP_STEP_US 100

struct request {
	int32_t flags;
	char path[PATH_MAX];
};

struct reply {
	int32_t r; /* 0: a descriptor comes with it; < 0: -errno */
	uint32_t major, minor;
};

/* Room for one descriptor. */
union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

struct slowopen {
	int rootfd, sock; /* sock -EBADF: no child runs */
	pid_t child;	  /* 0: none */
	unsigned deadline_ms, stalls;
};

/* ---- the child: of a program with unknown threads ---- */

static int send_reply(int sock, const struct reply *reply, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)reply, sizeof(*reply) };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int answer(int sock, int rootfd, const struct request *rq)
{
	int fd = rq->flags == SLOWOPEN_REGULAR ? insp_open_regular_in_root(rootfd, rq->path)
					       : insp_open_in_root(rootfd, rq->path, rq->flags, 0);
	struct reply reply = { .r = fd < 0 ? fd : 0 };
	struct statx stx = { 0 };
	int r;

	/* what the kernel remembers of it opens also when the server is gone: this asks */
	if (fd >= 0 &&
	    statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &stx) < 0)
		reply.r = -errno;
	reply.major = stx.stx_dev_major;
	reply.minor = stx.stx_dev_minor;
	r = send_reply(sock, &reply, reply.r < 0 ? -1 : fd);
	if (fd >= 0)
		close(fd);
	return r;
}

static void __attribute__((noreturn)) child_main(int sock, int rootfd)
{
	struct request rq;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sock = fcntl(sock, F_DUPFD, 3);
	rootfd = fcntl(rootfd, F_DUPFD, 3);
	/* not even standard output: whoever waits for its end would wait for us */
	if (sock < 0 || rootfd < 0 || dup2(sock, 0) < 0 || dup2(rootfd, 1) < 0)
		_exit(1);
	io_close_from(2);
	while (recv(0, &rq, sizeof(rq), 0) == (ssize_t)sizeof(rq))
		if (answer(0, 1, &rq) < 0)
			break;
	_exit(0);
}

/* ---- the asking side ---- */

struct slowopen *slowopen_new(int rootfd, unsigned deadline_ms)
{
	struct slowopen *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct slowopen){ .rootfd = rootfd,
					.sock = -EBADF,
					.deadline_ms = deadline_ms };
	return s;
}

static int start_child(struct slowopen *s)
{
	int pair[2], r = 0;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* no exit signal: a library's child must not show in the program's wait(); the order of zeros is no matter */
	child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (child == 0)
		child_main(pair[1], s->rootfd);
	if (child < 0)
		r = -errno;
	util_close(pair[1]);
	if (r < 0) {
		util_close(pair[0]);
		return r;
	}
	s->sock = pair[0];
	s->child = child;
	return 0;
}

/* One that hangs in the kernel is not waited for: whoever adopts it does. */
static void drop_child(struct slowopen *s)
{
	s->sock = util_close(s->sock);
	if (s->child > 0)
		(void)kill(s->child, SIGKILL);
	for (int i = 0; i < REAP_TRIES && s->child > 0; i++) {
		if (waitpid(s->child, NULL, WNOHANG | __WALL) != 0)
			break;
		usleep(REAP_STEP_US);
	}
	s->child = 0;
}

struct slowopen *slowopen_free(struct slowopen *s)
{
	if (!s)
		return NULL;
	drop_child(s);
	free(s);
	return NULL;
}

static int wait_for_reply(const struct slowopen *s)
{
	struct pollfd pfd = { .fd = s->sock, .events = POLLIN };
	int64_t end = io_now_ms() + s->deadline_ms;
	int n;

	do {
		n = poll(&pfd, 1, (int)MAX_OF(end - io_now_ms(), 0));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* The descriptor. */
static int receive(const struct slowopen *s, struct slowopen_dev *ret_dev)
{
	struct reply reply;
	union control control;
	struct iovec iov = { &reply, sizeof(reply) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(s->sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(reply))
		return -EPIPE;
	if (reply.r < 0)
		return reply.r;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -EMFILE; /* there was no room for it here */
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	*ret_dev = (struct slowopen_dev){ reply.major, reply.minor };
	return fd;
}

static int ask(struct slowopen *s, const struct request *rq)
{
	int r = s->child > 0 ? 0 : start_child(s);

	if (r == 0 && send(s->sock, rq, sizeof(*rq), MSG_NOSIGNAL) != (ssize_t)sizeof(*rq))
		r = -EPIPE;
	return r < 0 ? r : wait_for_reply(s);
}

int slowopen_open(struct slowopen *s, const char *path, int flags, struct slowopen_dev *ret_dev)
{
	struct request rq = { .flags = flags };
	int r;

	if (strlen(path) >= sizeof(rq.path))
		return -ENAMETOOLONG;
	if (s->stalls == STALLS_MAX)
		return -ETIMEDOUT;
	memcpy(rq.path, path, strlen(path));
	r = ask(s, &rq);
	s->stalls += r == -ETIMEDOUT;
	if (r == 0)
		r = receive(s, ret_dev);
	else
		drop_child(s);
	return r;
}
