/*
 * The loop between the caller's terminal and the pty: bytes both ways, window size, signals.
 *
 * The caller's terminal stays in blocking mode (its open file is shared with the shell that started us), so it is
 * read only when poll says so. The pty's end is non-blocking: a command that does not read must not stop its output.
 */
#include "libinspect/base/util.h"
#include "libinspect/enter/pty.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

/* How often a relay in the background looks whether it came to the foreground: no signal says so. */
#define BACKGROUND_POLL_MS 300

enum { POLL_TTY, POLL_MASTER, POLL_CHILD, POLL_SIGNAL, POLL_N };

struct relay {
	struct insp_pty *pty;
	int child;
	int sigfd;
	sigset_t old_mask;
};

static const int relayed_signals[] = { SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP,
				       SIGINT,	 SIGQUIT, SIGUSR1, SIGUSR2 };

static int block_signals(struct relay *r)
{
	sigset_t block, caught;

	sigemptyset(&caught);
	for (size_t i = 0; i < ARRAY_SIZE(relayed_signals); i++)
		sigaddset(&caught, relayed_signals[i]);
	block = caught;
	/* a write to a closed terminal shall fail; changing modes in the background is ours to decide */
	sigaddset(&block, SIGPIPE);
	sigaddset(&block, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &block, &r->old_mask) < 0)
		return -errno;
	r->sigfd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->sigfd < 0 ? -errno : 0;
}

static void unblock_signals(struct relay *r)
{
	r->sigfd = util_close(r->sigfd);
	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
}

/* Gives the pty what it takes of the bytes that wait. */
static int flush_input(struct insp_pty *pty)
{
	ssize_t n;

	if (pty->in_len == 0)
		return 0;
	n = write(pty->master, pty->in, pty->in_len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	pty->in_len -= (size_t)n;
	memmove(pty->in, pty->in + n, pty->in_len);
	return 0;
}

static void type_char(struct insp_pty *pty, cc_t c)
{
	if (pty->in_len < sizeof(pty->in))
		pty->in[pty->in_len++] = (char)c;
	flush_input(pty);
}

/* Terminal -> pty. -EIO: the terminal is gone. */
static int read_terminal(struct insp_pty *pty)
{
	ssize_t n = read(pty->tty, pty->in + pty->in_len, sizeof(pty->in) - pty->in_len);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -EIO;
	if (n == 0)
		return -EIO;
	pty->in_len += (size_t)n;
	return flush_input(pty);
}

static int write_terminal(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EAGAIN) {
			/* somebody else made the shared open file non-blocking */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 1000);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -EIO;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Pty -> terminal, one buffer. 1: there may be more; 0: nothing now; -EPIPE: no command has it open any more. */
static int read_master(struct insp_pty *pty)
{
	char buf[PTY_BUF];
	ssize_t n = read(pty->master, buf, sizeof(buf));
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	r = write_terminal(pty->out, buf, (size_t)n);
	return r < 0 ? r : 1;
}

/* What the command wrote before it went: the kernel hands over all that was written, then EAGAIN or EIO. */
static void drain(struct insp_pty *pty)
{
	for (int i = 0; i < 4096 && read_master(pty) > 0; i++)
		;
}

/* Stopped from outside (^Z as a key is a byte like any other): the shell shall find its terminal in order. */
static void stop_self(struct insp_pty *pty)
{
	pty_restore(pty);
	kill(getpid(), SIGSTOP);
	pty_raw(pty);
	pty_copy_size(pty);
}

static void pass_signal(const struct relay *r, int sig)
{
	/* without raw mode ^C reaches us as a signal; as a key it reaches the command's whole foreground group */
	if (!r->pty->input && (sig == SIGINT || sig == SIGQUIT))
		type_char(r->pty, sig == SIGINT ? 0x03 : 0x1c);
	else if (r->child >= 0)
		syscall(SYS_pidfd_send_signal, r->child, sig, NULL, 0);
}

static void handle_signals(struct relay *r)
{
	struct signalfd_siginfo si;

	while (read(r->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGWINCH: pty_copy_size(r->pty); break;
		case SIGTSTP: stop_self(r->pty); break;
		case SIGCONT:
			pty_raw(r->pty);
			pty_copy_size(r->pty);
			break;
		default: pass_signal(r, (int)si.ssi_signo); break;
		}
	}
}

static void prepare_poll(const struct relay *r, bool master_open, struct pollfd fds[POLL_N])
{
	const struct insp_pty *pty = r->pty;
	bool reading = pty->input && pty->raw && pty->in_len < sizeof(pty->in);
	short out = pty->in_len ? POLLOUT : 0;

	fds[POLL_TTY] = (struct pollfd){ reading ? pty->tty : -1, POLLIN, 0 };
	fds[POLL_MASTER] = (struct pollfd){ master_open ? pty->master : -1, POLLIN | out, 0 };
	fds[POLL_CHILD] = (struct pollfd){ r->child, POLLIN, 0 };
	fds[POLL_SIGNAL] = (struct pollfd){ r->sigfd, POLLIN, 0 };
}

/* One round. 1: the command is done; 0: go on; -EIO: the caller's terminal is gone. */
static int relay_once(struct relay *r, bool *master_open)
{
	struct insp_pty *pty = r->pty;
	struct pollfd fds[POLL_N];
	int n;

	prepare_poll(r, *master_open, fds);
	n = poll(fds, POLL_N, pty->input && !pty->raw ? BACKGROUND_POLL_MS : -1);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (pty->input && !pty->raw)
		pty_raw(pty);
	if (fds[POLL_SIGNAL].revents)
		handle_signals(r);
	if (fds[POLL_TTY].revents) {
		n = read_terminal(pty);
		if (n == -EIO)
			return n;
	}
	if (fds[POLL_MASTER].revents & POLLOUT)
		flush_input(pty);
	if (fds[POLL_MASTER].revents & (POLLIN | POLLHUP | POLLERR)) {
		n = read_master(pty);
		if (n == -EPIPE)
			*master_open = false;
		else if (n < 0)
			return n;
	}
	/* compat: kernel < 5.3: no pidfd, the end is when nobody holds the pty any more */
	return fds[POLL_CHILD].revents || (r->child < 0 && !*master_open);
}

int insp_pty_relay(struct insp_pty *pty, int child_pidfd, struct insp_err *err)
{
	struct relay r = { .pty = pty, .child = child_pidfd, .sigfd = -EBADF };
	bool master_open = true;
	int n;

	n = block_signals(&r);
	if (n < 0)
		return insp_err_set(err, n, "watch for signals");
	/* from here on only the command holds it, and its end shows */
	pty->slave = util_close(pty->slave);
	pty_copy_size(pty);
	pty_raw(pty);
	do {
		n = relay_once(&r, &master_open);
	} while (n == 0);
	if (n > 0)
		drain(pty);
	pty_restore(pty);
	unblock_signals(&r);
	return n < 0 ? insp_err_set(err, n, "relay the terminal") : 0;
}
