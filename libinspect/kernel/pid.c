/* struct insp_pid: open, verify, then hand out. */
#include "libinspect/kernel/pid.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/creds.h"
#include "libinspect/kernel/slowread.h"
#include "libinspect/sysc.h"

#include <sys/stat.h>
#include <poll.h>

#define ENVIRON_MAX (1024 * 1024)

struct insp_pid *insp_pid_close(struct insp_pid *pid)
{
	if (!pid)
		return NULL;
	util_close(pid->pidfd);
	util_close(pid->procfd);
	free(pid);
	return NULL;
}

static int say_gone(struct insp_err *err, pid_t pid)
{
	return insp_err_say(err, -ESRCH, "pid %d: no such process", pid);
}

/*
 * 0 and pid->pidfd, or -EBADF in it where the call is missing (compat: kernel < 5.3) or a seccomp filter forbids it.
 * EINVAL of a positive pid: the number is a thread's, not a process's (newer kernels: ENOENT).
 */
static int open_pidfd(struct insp_pid *p)
{
	p->pidfd = sysc_pidfd_open(p->pid);
	if (p->pidfd >= 0)
		return 0;
	p->pidfd = -EBADF;
	switch (errno) {
	case ENOSYS:
	case EPERM: return 0;
	case EINVAL:
	case ENOENT: return -ESRCH;
	default: return -errno;
	}
}

static bool state_is_dead(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* Without a pidfd nothing has said yet that the number is a process's and not one of its other threads'. */
static int check_is_process(const struct insp_pid *p)
{
	struct pid_status st;
	int r;

	if (p->pidfd >= 0)
		return 0;
	r = pid_read_status_at(p->procfd, &st);
	if (r < 0)
		return r;
	return st.tgid == p->pid ? 0 : -ESRCH;
}

static int open_procdir(struct insp_sys *sys, struct insp_pid *p)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", p->pid);
	p->procfd = openat(sys->procfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (p->procfd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return 0;
}

/*
 * pidfd first, directory second, then a look whether the first still lives: so both are the same process's.
 */
static int open_and_verify(struct insp_sys *sys, struct insp_pid *p)
{
	struct pid_stat st;
	int r;

	r = open_pidfd(p);
	if (r < 0)
		return r;
	r = open_procdir(sys, p);
	if (r < 0)
		return r;
	r = pid_read_stat_at(p->procfd, &st);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	r = check_is_process(p);
	if (r < 0)
		return r;
	p->start = st.start;
	return !state_is_dead(st.state) && insp_pid_alive(p) ? 0 : -ESRCH;
}

int insp_pid_open(struct insp_sys *sys, pid_t pid, uint64_t start, struct insp_pid **ret_pid,
		  struct insp_err *err)
{
	_cleanup_pid_ struct insp_pid *p = NULL;
	int r;

	if (!sys->live)
		return insp_err_say(err, -ENOTSUP, "pid %d: not the running host", pid);
	if (pid <= 0)
		return insp_err_say(err, -ESRCH, "pid %d: not a process id", pid);
	p = malloc(sizeof(*p));
	if (!p)
		return insp_err_set(err, -ENOMEM, "pid %d", pid);
	*p = (struct insp_pid){ .pid = pid, .pidfd = -EBADF, .procfd = -EBADF };
	r = open_and_verify(sys, p);
	if (r == -ESRCH)
		return say_gone(err, pid);
	if (r < 0)
		return insp_err_set(err, r, "pid %d: open", pid);
	if (start != 0 && start != p->start) {
		say_gone(err, pid);
		insp_err_hint(err, "another process has that pid now, started at another time");
		return -ESRCH;
	}
	*ret_pid = TAKE_PTR(p);
	return 0;
}

pid_t insp_pid_number(const struct insp_pid *pid)
{
	return pid->pid;
}

uint64_t insp_pid_start(const struct insp_pid *pid)
{
	return pid->start;
}

int insp_pid_fd(const struct insp_pid *pid)
{
	return pid->pidfd >= 0 ? pid->pidfd : -1;
}

int insp_pid_procfd(const struct insp_pid *pid)
{
	return pid->procfd;
}

bool insp_pid_alive(const struct insp_pid *pid)
{
	struct pid_stat st;

	if (pid->pidfd >= 0) {
		struct pollfd p = { .fd = pid->pidfd, .events = POLLIN };

		/* a pidfd is readable once all threads have exited: zombies too */
		return poll(&p, 1, 0) == 0;
	}
	return pid_read_stat_at(pid->procfd, &st) >= 0 && !state_is_dead(st.state);
}

int insp_pid_namespaces(const struct insp_pid *pid, struct insp_ns_set *ret_set,
			struct insp_err *err)
{
	int r = pid_ns_inodes_at(pid->procfd, ret_set);

	if (r >= 0)
		return 0;
	insp_err_set(err, r, "pid %d: read '/proc/%d/ns'", pid->pid, pid->pid);
	if (r == -EACCES || r == -EPERM)
		insp_err_hint(
			err,
			geteuid() == 0
				? "a sandbox or security module forbids it, even to root"
				: "namespaces of other users' processes are shown to root only");
	return r;
}

int insp_pid_open_root(const struct insp_pid *pid, int *ret_fd, struct insp_err *err)
{
	_cleanup_close_ int fd = openat(pid->procfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		int r = errno == ENOENT ? -ESRCH : -errno;

		insp_err_set(err, r, "pid %d: open its root directory", pid->pid);
		if (r == -EACCES || r == -EPERM)
			insp_err_hint(err, "files of other users' processes are open to root only");
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int insp_pid_environ(struct insp_sys *sys, const struct insp_pid *pid, char **ret, size_t *ret_len,
		     struct insp_err *err)
{
	struct slowread *reader;
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	int r;

	r = slowread_new(sys, &reader);
	if (r >= 0) {
		r = slowread_read(reader, pid->pid, "environ", ENVIRON_MAX, &data, &len);
		slowread_free(reader);
	}
	/* the reader opens by number: only what was read while the process still lived is its own */
	if (r >= 0 && !insp_pid_alive(pid))
		r = -ESRCH;
	if (r < 0)
		return insp_err_set(err, r, "pid %d: read '/proc/%d/environ'", pid->pid, pid->pid);
	*ret = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

pid_t pid_next(struct io_dir *dir)
{
	pid_t pid;

	for_each_entry (de, dir)
		if (str_to_pid(de->d_name, &pid) == 0)
			return pid;
	return 0;
}

int pid_root(int procfd, pid_t pid, struct pid_root *ret)
{
	int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (pid ? 0 : AT_EMPTY_PATH);
	struct statx stx;
	char path[32] = "";

	if (pid)
		snprintf(path, sizeof(path), "%d/root", (int)pid);
	if (statx(procfd, path, flags, STATX_INO, &stx) < 0)
		return -errno;
	*ret = (struct pid_root){ stx.stx_ino, stx.stx_dev_major, stx.stx_dev_minor };
	return 0;
}

bool pid_root_same(const struct pid_root *a, const struct pid_root *b)
{
	return a->ino == b->ino && a->major == b->major && a->minor == b->minor;
}
