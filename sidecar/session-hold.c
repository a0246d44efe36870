/*
 * The holder of a detached session: the front without a terminal. It keeps the pty's end, the last of what the command wrote,
 * and whoever is attached; and is gone with the command.
 *
 * All who are attached see everything and may type. Nobody's output is thrown away: what the slowest has not taken stops
 * the command, as a terminal would; one that takes nothing for STALL_MS is let go.
 */
#include "sidecar/session-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define CLIENTS_MAX 8
#define RING_SIZE   65536 /* a power of two */
#define REPLAY	    32768 /* what who attaches sees of what was before */
#define INPUT_MAX   16384
#define STALL_MS    10000
#define END_MS	    2000

struct client {
	int fd;		/* -1: none */
	uint64_t pos;	/* how much of the output it has */
	int64_t behind; /* since when it has not taken what there is; 0: it has all */
};

struct hold {
	const struct sidecar_plan *plan;
	int dir, entry, listener; /* SESSION_DIR, the entry, its socket */
	int report;		  /* to who started it; -1: said already */
	int master, sigfd, supervisor_fd;
	bool stop;
	struct client clients[CLIENTS_MAX];
	char ring[RING_SIZE];
	uint64_t total; /* bytes that the command ever wrote */
	char in[INPUT_MAX];
	size_t in_len;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- who is attached ---- */

static void note_attached(const struct hold *h)
{
	_cleanup_close_ int fd = openat(h->entry, "attached", O_WRONLY | O_TRUNC | O_CLOEXEC);
	unsigned n = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		n += h->clients[i].fd >= 0;
	if (fd >= 0)
		dprintf(fd, "%u\n", n);
}

static void let_go(struct hold *h, struct client *c)
{
	tool_closep(&c->fd);
	note_attached(h);
}

static struct client *free_place(struct hold *h)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].fd < 0)
			return &h->clients[i];
	return NULL;
}

/* Not the middle of a line, which may be that of an escape sequence. */
static uint64_t replay_from(const struct hold *h)
{
	uint64_t pos = h->total > REPLAY ? h->total - REPLAY : 0;

	while (h->total > REPLAY && pos < h->total && h->ring[pos++ % RING_SIZE] != '\n')
		;
	return pos;
}

static void accept_one(struct hold *h)
{
	_cleanup_close_ int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_place(h);

	if (fd < 0 || !c || session_check_peer(fd, 0, NULL) < 0)
		return;
	*c = (struct client){ .fd = fd, .pos = replay_from(h) };
	fd = -1;
	note_attached(h);
}

/* ---- output ---- */

static uint64_t slowest(const struct hold *h)
{
	uint64_t pos = h->total;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].fd >= 0 && h->clients[i].pos < pos)
			pos = h->clients[i].pos;
	return pos;
}

static size_t room(const struct hold *h)
{
	return RING_SIZE - (size_t)(h->total - slowest(h));
}

/* 1: there may be more; 0: none now, or nobody has the pty open. */
static int read_master(struct hold *h)
{
	size_t at = h->total % RING_SIZE, len = RING_SIZE - at, free = room(h);
	ssize_t n;

	if (len > free)
		len = free;
	n = len ? read(h->master, h->ring + at, len) : 0;
	if (n <= 0)
		return 0;
	h->total += (uint64_t)n;
	return 1;
}

/* Gives it what it takes. */
static void feed(struct hold *h, struct client *c)
{
	while (c->fd >= 0 && c->pos < h->total) {
		struct session_packet p = { .kind = SESSION_DATA };
		size_t len = (size_t)(h->total - c->pos), at = c->pos % RING_SIZE;

		if (len > sizeof(p.data))
			len = sizeof(p.data);
		if (len > RING_SIZE - at)
			len = RING_SIZE - at;
		memcpy(p.data, h->ring + at, len);
		if (send(c->fd, &p, SESSION_HEAD + len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				let_go(h, c);
			else if (!c->behind)
				c->behind = now_ms();
			return;
		}
		c->pos += len;
		c->behind = 0;
	}
}

static void feed_all(struct hold *h)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &h->clients[i];

		feed(h, c);
		if (c->fd >= 0 && c->behind && now_ms() - c->behind > STALL_MS)
			let_go(h, c);
	}
}

/* ---- input ---- */

static void write_master(struct hold *h)
{
	ssize_t n = h->in_len ? write(h->master, h->in, h->in_len) : 0;

	if (n <= 0)
		return;
	h->in_len -= (size_t)n;
	memmove(h->in, h->in + n, h->in_len);
}

static void take_packet(struct hold *h, struct client *c, const struct session_packet *p,
			size_t len)
{
	struct winsize size;

	switch (p->kind) {
	case SESSION_DATA:
		/* there is room: else nothing is read */
		memcpy(h->in + h->in_len, p->data, len);
		h->in_len += len;
		write_master(h);
		break;
	case SESSION_SIZE:
		if (len == sizeof(size)) {
			memcpy(&size, p->data, sizeof(size));
			ioctl(h->master, TIOCSWINSZ, &size);
		}
		break;
	case SESSION_STOP: h->stop = true; break;
	default: let_go(h, c); break;
	}
}

static bool can_take(const struct hold *h)
{
	return h->in_len + SESSION_DATA_MAX <= sizeof(h->in);
}

static void hear(struct hold *h, struct client *c, short revents)
{
	struct session_packet p;
	ssize_t n;

	if (!can_take(h)) {
		if (revents & (POLLHUP | POLLERR))
			let_go(h, c);
		return;
	}
	n = recv(c->fd, &p, sizeof(p), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < (ssize_t)SESSION_HEAD)
		let_go(h, c);
	else
		take_packet(h, c, &p, (size_t)n - SESSION_HEAD);
}

/* ---- the loop ---- */

enum {
	AT_MASTER,
	AT_LISTENER,
	AT_SUPERVISOR,
	AT_SIGNAL,
	AT_CLIENT,
	AT_N = AT_CLIENT + CLIENTS_MAX
};

static void prepare(const struct hold *h, bool ended, struct pollfd fds[AT_N])
{
	short master = (room(h) ? POLLIN : 0) | (h->in_len ? POLLOUT : 0);

	/* it hangs up while nobody has it open, and would say so for ever */
	fds[AT_MASTER] = (struct pollfd){ ended || !master ? -1 : h->master, master, 0 };
	fds[AT_LISTENER] = (struct pollfd){ h->listener, POLLIN, 0 };
	fds[AT_SUPERVISOR] = (struct pollfd){ h->supervisor_fd, POLLIN, 0 };
	fds[AT_SIGNAL] = (struct pollfd){ h->sigfd, POLLIN, 0 };
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *c = &h->clients[i];
		short events = (can_take(h) ? POLLIN : 0) | (c->pos < h->total ? POLLOUT : 0);

		fds[AT_CLIENT + i] = (struct pollfd){ c->fd, events, 0 };
	}
}

/* In ms; for ever, when only what poll() sees can change anything. */
static int next_look(const struct hold *h, bool hung_up)
{
	if (hung_up)
		return 200;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].fd >= 0 && h->clients[i].behind)
			return 1000;
	return -1;
}

static void pass_signals(const struct hold *h, pid_t supervisor)
{
	struct signalfd_siginfo si;

	while (read(h->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		kill(supervisor, (int)si.ssi_signo);
}

int hold_serve(struct hold *h, int master, int supervisor_fd, int sigfd, pid_t supervisor)
{
	bool hung_up = false;

	h->master = master;
	h->supervisor_fd = supervisor_fd;
	h->sigfd = sigfd;
	while (!h->stop) {
		struct pollfd fds[AT_N];

		prepare(h, hung_up, fds);
		if (poll(fds, AT_N, next_look(h, hung_up)) < 0 && errno != EINTR)
			return 0;
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			if (fds[AT_CLIENT + i].revents & (POLLIN | POLLHUP | POLLERR))
				hear(h, &h->clients[i], fds[AT_CLIENT + i].revents);
		if (fds[AT_LISTENER].revents)
			accept_one(h);
		if (fds[AT_SIGNAL].revents)
			pass_signals(h, supervisor);
		write_master(h);
		/* a command may close its terminal and open it again: looked at now and then */
		hung_up = fds[AT_MASTER].revents & POLLHUP && !(fds[AT_MASTER].revents & POLLIN);
		read_master(h);
		feed_all(h);
		if (fds[AT_SUPERVISOR].revents)
			return 1;
	}
	return 0;
}

/* ---- beginning and end ---- */

static char *cgroup_path(const struct limits *l, size_t i)
{
	char fd[PROC_FD_PATH_MAX], dir[4096], *path;
	ssize_t n;

	proc_fd_path(l->parent[i], fd);
	n = readlink(fd, dir, sizeof(dir) - 1);
	if (n <= 0)
		return NULL;
	dir[n] = '\0';
	return asprintf(&path, "%s/%s", dir, l->name) < 0 ? NULL : path;
}

static void name_cgroups(const struct limits *l, char **paths, struct session_entry *e)
{
	e->cgroups = paths;
	for (size_t i = 0; i < l->n; i++) {
		/* a scope is systemd's to remove */
		char *path = l->parent[i] >= 0 ? cgroup_path(l, i) : NULL;

		if (path)
			paths[e->n_cgroups++] = path;
	}
}

static char *words(char *const *argv)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && argv[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", argv[i]);
	if (!f || fclose(f) != 0)
		return NULL;
	return text;
}

int hold_ready(struct hold *h, const struct limits *limits, int mntns, struct insp_err *err)
{
	struct session_entry e = { .pidns = session_pidns(), .mntns = session_mntns(mntns) };
	_cleanup_free_ char *command = words(h->plan->argv);
	_cleanup_pid_ struct insp_pid *self = NULL;
	char *paths[LIMITS_MAX];
	int r = insp_pid_open(h->plan->sys, getpid(), 0, &self, err);

	if (r < 0)
		return r;
	if (!command)
		return insp_err_set(err, -ENOMEM, "name the session");
	snprintf(e.info.id, sizeof(e.info.id), "%s", h->plan->opts->session);
	e.info.container = (char *)h->plan->opts->label;
	e.info.command = command;
	e.info.created = insp_sys_now(h->plan->sys);
	e.info.holder = getpid();
	e.holder_start = insp_pid_start(self);
	name_cgroups(limits, paths, &e);
	r = session_entry_write(h->dir, &e, &h->entry, &h->listener, err);
	for (size_t i = 0; i < e.n_cgroups; i++)
		free(paths[i]);
	if (r < 0)
		return r;
	fault_point("entry");
	message_send(h->report, &(struct message){ .kind = MESSAGE_READY });
	tool_closep(&h->report);
	/* no file system of the host's is kept busy */
	return chdir("/") < 0 ? insp_err_set(err, -errno, "change to directory '/'") : 0;
}

void hold_drain(struct hold *h)
{
	const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };
	int64_t deadline = now_ms() + END_MS;
	bool more = true;

	/* of who is slower the rest is cut off */
	while (more && now_ms() < deadline) {
		bool got = read_master(h) > 0;

		feed_all(h);
		more = got || slowest(h) < h->total;
		if (more && !got)
			nanosleep(&tick, NULL);
	}
	h->master = -1;
}

/* Tells who is attached, and removes the entry. */
static void hold_end(struct hold *h, int status, const struct insp_err *err)
{
	struct session_end end = { .status = status, .err = *err };
	struct session_packet p = { .kind = SESSION_END };

	session_entry_remove(h->dir, h->plan->opts->session);
	memcpy(p.data, &end, sizeof(end));
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (h->clients[i].fd >= 0)
			send(h->clients[i].fd, &p, SESSION_HEAD + sizeof(end),
			     MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- the process ---- */

/* Where the holder's messages go: warn() has no argument of its own. */
static int warn_fd = -1;

static void warn_starter(const struct insp_err *err)
{
	message_warn(warn_fd, err);
}

static int leave_terminal(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	prctl(PR_SET_NAME, "cdebug-session");
	if (null < 0)
		return -errno;
	/* also what is no terminal: who started us may wait for the end of a pipe */
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (null < 3)
		null = -1;
	return 0;
}

static _Noreturn void holder_main(const struct sidecar_plan *plan, int dir, int report)
{
	struct hold *h = calloc(1, sizeof(*h));
	struct insp_err err = { 0 };
	int status = INSP_EXIT_OWN_FAILURE;

	if (!h || leave_terminal() < 0)
		_exit(status);
	h->plan = plan;
	h->dir = dir;
	h->report = warn_fd = report;
	h->entry = h->listener = h->master = h->sigfd = h->supervisor_fd = -1;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		h->clients[i].fd = -1;
	sidecar_run_held(plan, h, warn_starter, &status, &err);
	if (h->entry >= 0)
		hold_end(h, status, &err);
	else
		message_die(report, status, &err);
	_exit(0);
}

/* Until the session is ready, or will not be. */
static int wait_for_holder(int fd, void (*warn)(const struct insp_err *err), int *ret_status,
			   struct insp_err *err)
{
	struct message m;

	for (;;) {
		ssize_t n = read(fd, &m, sizeof(m));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(m))
			return insp_err_say(err, -EIO,
					    "the session's process was killed while it was made");
		if (m.kind == MESSAGE_READY)
			return 0;
		if (m.kind == MESSAGE_FAILURE)
			break;
		warn(&m.err);
	}
	*err = m.err;
	*ret_status = m.status;
	return err->code ?: -EIO;
}

int session_start(const struct sidecar_plan *plan, void (*warn)(const struct insp_err *err),
		  int *ret_status, struct insp_err *err)
{
	_cleanup_close_ int dir = -1, in = -1;
	int report[2], r;
	pid_t pid;

	*ret_status = INSP_EXIT_OWN_FAILURE;
	r = session_dir_open(true, &dir, err);
	if (r < 0)
		return r;
	if (pipe2(report, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	in = report[0];
	pid = fork();
	if (pid == 0) {
		tool_closep(&in);
		holder_main(plan, dir, report[1]);
	}
	close(report[1]);
	if (pid < 0)
		return insp_err_set(err, -errno, "start a process");
	r = wait_for_holder(in, warn, ret_status, err);
	if (r < 0)
		waitpid(pid, NULL, 0);
	else
		*ret_status = 0;
	return r;
}
