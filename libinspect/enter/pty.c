/* Making a pty and giving it to a command. The relay is in ptyrelay.c. */
#include "libinspect/base/util.h"
#include "libinspect/enter/pty.h"

#include <sys/ioctl.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/*
 * The other end of master. Not opened by name: /dev/pts may be another devpts than the one of master, or what a
 * container mounted there.
 */
static int open_slave(int master)
{
	int fd, n;
	char path[32];

	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno != EINVAL && errno != ENOTTY)
		return -errno;
	/* compat: kernel < 4.13 */
	if (ioctl(master, TIOCGPTN, &n) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_pair(int *ret_master, int *ret_slave)
{
	_cleanup_close_ int master = -EBADF;
	int slave, unlock = 0;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0)
		return -errno;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	slave = open_slave(master);
	if (slave < 0)
		return slave;
	*ret_master = TAKE_FD(master);
	*ret_slave = slave;
	return 0;
}

void pty_copy_size(const struct insp_pty *pty)
{
	struct winsize ws;

	if (ioctl(pty->tty, TIOCGWINSZ, &ws) == 0)
		ioctl(pty->master, TIOCSWINSZ, &ws);
}

bool pty_in_foreground(const struct insp_pty *pty)
{
	pid_t pgrp = tcgetpgrp(pty->tty);

	/* a terminal that is not our controlling one has no foreground that concerns us */
	return pgrp < 0 || pgrp == getpgrp();
}

void pty_raw(struct insp_pty *pty)
{
	struct termios t;

	if (!pty->input || !pty_in_foreground(pty))
		return;
	if (tcgetattr(pty->tty, &t) < 0)
		return;
	if (!pty->raw) {
		pty->saved = t;
		pty->saved_valid = true;
	}
	cfmakeraw(&t);
	if (tcsetattr(pty->tty, TCSADRAIN, &t) == 0)
		pty->raw = true;
}

void pty_restore(struct insp_pty *pty)
{
	if (!pty->raw || !pty->saved_valid)
		return;
	tcsetattr(pty->tty, TCSADRAIN, &pty->saved);
	pty->raw = false;
}

/* The command finds the modes that the caller's terminal had. */
static void copy_modes(const struct insp_pty *pty)
{
	struct termios t;

	if (tcgetattr(pty->tty, &t) < 0)
		return;
	/* the caller's terminal stays in its own mode then: it echoes, and does what is done to output */
	if (!pty->input) {
		t.c_oflag &= ~(tcflag_t)OPOST;
		t.c_lflag &= ~(tcflag_t)ECHO;
	}
	tcsetattr(pty->slave, TCSANOW, &t);
}

int insp_pty_open(int tty, struct insp_pty **ret_pty, struct insp_err *err)
{
	_cleanup_free_ struct insp_pty *pty = calloc(1, sizeof(*pty));
	int r;

	if (!pty)
		return insp_err_set(err, -ENOMEM, "make a terminal");
	if (!isatty(tty))
		return insp_err_set(err, -ENOTTY, "make a terminal for file descriptor %d", tty);
	pty->tty = tty;
	pty->input = tty == STDIN_FILENO;
	for (int i = 0; i < 3; i++)
		pty->replace[i] = i == tty || isatty(i);
	pty->out = pty->replace[1] ? 1 : pty->replace[2] ? 2 : tty;
	r = open_pair(&pty->master, &pty->slave);
	if (r < 0) {
		insp_err_set(err, r, "open '/dev/ptmx'");
		insp_err_hint(err, "without a terminal (</dev/null >out 2>&1) none is needed");
		return r;
	}
	copy_modes(pty);
	pty_copy_size(pty);
	*ret_pty = TAKE_PTR(pty);
	return 0;
}

int insp_pty_open_alone(struct insp_pty **ret_pty, struct insp_err *err)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	_cleanup_free_ struct insp_pty *pty = calloc(1, sizeof(*pty));
	int r;

	if (!pty)
		return insp_err_set(err, -ENOMEM, "make a terminal");
	pty->tty = pty->out = -EBADF;
	for (int i = 0; i < 3; i++)
		pty->replace[i] = true;
	r = open_pair(&pty->master, &pty->slave);
	if (r < 0)
		return insp_err_set(err, r, "open '/dev/ptmx'");
	ioctl(pty->master, TIOCSWINSZ, &size);
	*ret_pty = TAKE_PTR(pty);
	return 0;
}

int insp_pty_take_master(struct insp_pty *pty)
{
	pty->slave = util_close(pty->slave);
	return pty->master;
}

int insp_pty_detach(struct insp_pty *pty)
{
	pty->master = util_close(pty->master);
	return pty->slave;
}

int insp_pty_child(struct insp_pty *pty, struct insp_err *err)
{
	/* fails when the caller leads a session already, which is as good */
	setsid();
	if (ioctl(pty->slave, TIOCSCTTY, 0) < 0)
		return insp_err_set(err, -errno, "take the terminal");
	for (int i = 0; i < 3; i++)
		if (pty->replace[i] && dup2(pty->slave, i) < 0)
			return insp_err_set(err, -errno, "take the terminal as %d", i);
	pty->master = util_close(pty->master);
	if (pty->slave > 2)
		pty->slave = util_close(pty->slave);
	return 0;
}

struct insp_pty *insp_pty_close(struct insp_pty *pty)
{
	if (!pty)
		return NULL;
	pty_restore(pty);
	util_close(pty->master);
	util_close(pty->slave);
	free(pty);
	return NULL;
}
