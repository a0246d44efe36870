/* Who attaches: between the caller's terminal and the holder's socket. */
#include "sidecar/session-internal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>

#define KEY_FIRST  0x10 /* ctrl-p, ctrl-q: docker's */
#define KEY_SECOND 0x11
#define INPUT_MAX  16384

struct attached {
	int sock, sigfd;
	int tty;   /* the first of 0, 1, 2 that is a terminal; -1: none */
	bool raw;  /* standard input is it, and in raw mode */
	bool deaf; /* standard input has ended */
	struct termios saved;
	sigset_t old_mask;
	char in[INPUT_MAX]; /* typed, and not sent yet */
	size_t in_len;
	bool first_key; /* the last that was typed is KEY_FIRST, kept back */
	bool heard;	/* anything from the holder */
	int signal;
	bool detach, over;
	struct session_end end;
};

static const int caught[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };

static int block_signals(struct attached *a)
{
	sigset_t set, block;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&set, caught[i]);
	block = set;
	sigaddset(&block, SIGPIPE);
	sigaddset(&block, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &block, &a->old_mask) < 0)
		return -errno;
	a->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->sigfd < 0 ? -errno : 0;
}

/* ---- the terminal ---- */

static void make_raw(struct attached *a)
{
	struct termios t;

	if (a->tty != STDIN_FILENO || tcgetattr(a->tty, &t) < 0)
		return;
	if (!a->raw)
		a->saved = t;
	cfmakeraw(&t);
	a->raw = tcsetattr(a->tty, TCSADRAIN, &t) == 0 || a->raw;
}

static void restore(struct attached *a)
{
	if (a->raw)
		tcsetattr(a->tty, TCSADRAIN, &a->saved);
	a->raw = false;
}

static void send_size(const struct attached *a)
{
	struct session_packet p = { .kind = SESSION_SIZE };
	struct winsize size;

	if (a->tty < 0 || ioctl(a->tty, TIOCGWINSZ, &size) < 0)
		return;
	memcpy(p.data, &size, sizeof(size));
	send(a->sock, &p, SESSION_HEAD + sizeof(size), MSG_NOSIGNAL);
}

static void stop_self(struct attached *a)
{
	restore(a);
	kill(getpid(), SIGSTOP);
	make_raw(a);
	send_size(a);
}

static void take_signals(struct attached *a)
{
	struct signalfd_siginfo si;

	while (read(a->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGWINCH: send_size(a); break;
		case SIGTSTP: stop_self(a); break;
		case SIGCONT:
			make_raw(a);
			send_size(a);
			break;
		default:
			a->signal = (int)si.ssi_signo;
			a->detach = true;
			break;
		}
	}
}

/* ---- bytes ---- */

static void type(struct attached *a, char c)
{
	if (a->first_key && c == KEY_SECOND) {
		a->detach = true;
		return;
	}
	if (a->first_key)
		a->in[a->in_len++] = KEY_FIRST;
	a->first_key = a->raw && c == KEY_FIRST;
	if (!a->first_key)
		a->in[a->in_len++] = c;
}

/* There is room for twice of what is read: less is not asked for. */
static void read_input(struct attached *a)
{
	char buf[1024];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* a terminal that is gone takes us along; of a file all has been sent, and the rest is looked at */
		a->deaf = true;
		a->detach = a->raw;
		return;
	}
	for (ssize_t i = 0; i < n && !a->detach; i++)
		type(a, buf[i]);
}

static void send_input(struct attached *a)
{
	struct session_packet p = { .kind = SESSION_DATA };
	size_t len = a->in_len < sizeof(p.data) ? a->in_len : sizeof(p.data);

	if (!len)
		return;
	memcpy(p.data, a->in, len);
	if (send(a->sock, &p, SESSION_HEAD + len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
	a->in_len -= len;
	memmove(a->in, a->in + len, a->in_len);
}

static int show(const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ STDOUT_FILENO, POLLOUT, 0 }, 1, 1000);
		else if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int hear(struct attached *a)
{
	struct session_packet p;
	ssize_t n = recv(a->sock, &p, sizeof(p), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	a->over = n < (ssize_t)SESSION_HEAD;
	if (a->over)
		return 0;
	a->heard = true;
	n -= (ssize_t)SESSION_HEAD;
	if (p.kind == SESSION_DATA)
		return show(p.data, (size_t)n);
	if (p.kind == SESSION_END && n == (ssize_t)sizeof(a->end)) {
		memcpy(&a->end, p.data, sizeof(a->end));
		a->end.err.text[sizeof(a->end.err.text) - 1] = '\0';
		a->end.err.hint[sizeof(a->end.err.hint) - 1] = '\0';
		a->over = true;
	}
	return 0;
}

static int relay(struct attached *a, struct insp_err *err)
{
	while (!a->over && !a->detach) {
		bool reading = !a->deaf && a->in_len + 2048 < sizeof(a->in);
		struct pollfd fds[] = {
			{ reading ? STDIN_FILENO : -1, POLLIN, 0 },
			{ a->sock, (short)(POLLIN | (a->in_len ? POLLOUT : 0)), 0 },
			{ a->sigfd, POLLIN, 0 },
		};
		int r;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return insp_err_set(err, -errno, "wait for the session");
		if (fds[2].revents)
			take_signals(a);
		if (fds[0].revents)
			read_input(a);
		send_input(a);
		r = fds[1].revents ? hear(a) : 0;
		if (r < 0)
			return insp_err_set(err, r, "write the session's output");
	}
	return 0;
}

/* ---- beginning and end ---- */

static int find_terminal(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

static int finish(const struct attached *a, const char *id, int *ret_status, bool *ret_detached,
		  struct insp_err *err)
{
	*ret_detached = a->detach;
	if (a->detach) {
		*ret_status = a->signal ? 128 + a->signal : 0;
		return 0;
	}
	if (!a->heard)
		return insp_err_say(
			err, -EBUSY,
			"session '%s' does not let us in: too many are attached, or its "
			"holder is of other namespaces",
			id);
	if (a->end.status < 0)
		return insp_err_say(err, -EPIPE, "session '%s' has let go, or was killed", id);
	*ret_status = a->end.status;
	if (a->end.err.code)
		*err = a->end.err;
	return a->end.err.code;
}

static int connect_to(struct insp_sys *sys, const char *ref, struct session_entry *e, int *ret_fd,
		      struct insp_err *err)
{
	_cleanup_pid_ struct insp_pid *holder = NULL;
	_cleanup_close_ int dir = -1, fd = -1;
	int r = session_find(ref, &dir, e, err);

	if (r < 0)
		return r;
	r = session_holder(sys, e, &holder);
	if (r == -ESRCH) {
		insp_err_say(err, r, "session '%s': its holder %d was killed", e->info.id,
			     (int)e->info.holder);
		insp_err_hint(err, "'cdebug --stop %s' ends what is left of it", e->info.id);
		return r;
	}
	if (r < 0)
		return insp_err_say(err, r, "session '%s' is of another pid namespace", e->info.id);
	r = session_connect(dir, e->info.id, &fd);
	if (r < 0)
		return insp_err_set(err, r, "session '%s': connect to its socket", e->info.id);
	r = session_check_peer(fd, e->info.holder, err);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int session_attach(struct insp_sys *sys, const char *ref, int *ret_status, bool *ret_detached,
		   struct insp_err *err)
{
	struct attached a = { .sock = -1, .sigfd = -1, .tty = find_terminal(), .end.status = -1 };
	struct session_entry e = { 0 };
	int r = connect_to(sys, ref, &e, &a.sock, err);

	*ret_status = INSP_EXIT_OWN_FAILURE;
	*ret_detached = false;
	if (r == 0 && block_signals(&a) < 0)
		r = insp_err_set(err, -errno, "watch for signals");
	if (r == 0) {
		make_raw(&a);
		send_size(&a);
		r = relay(&a, err);
		restore(&a);
	}
	r = r ?: finish(&a, e.info.id, ret_status, ret_detached, err);
	if (a.sigfd >= 0)
		sigprocmask(SIG_SETMASK, &a.old_mask, NULL);
	tool_closep(&a.sigfd);
	tool_closep(&a.sock);
	session_entry_clear(&e);
	return r;
}
