/* What the caller's files are for a container's program that runs beside them: pipes. See rerun.h. */
#include "sidecar/rerun.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#define DRAIN_MS 10000

/* A terminal is ours by then; a directory and /dev/null the launcher takes away. A FIFO with a name is a file. */
static bool is_file(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || isatty(fd) || S_ISSOCK(st.st_mode) || S_ISDIR(st.st_mode))
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev != makedev(1, 3);
	return !S_ISFIFO(st.st_mode) || fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Holds nothing but the two. */
static _Noreturn void copier_main(int from, int to, bool input)
{
	static char buf[65536];
	int keep[2] = { -1, -1 };
	ssize_t n;

	if (input)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep[0] = fcntl(from, F_DUPFD, 3);
	keep[1] = fcntl(to, F_DUPFD, 3);
	from = keep[0];
	to = keep[1];
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	proc_close_others(keep, 2);
	do {
		n = read(from, buf, sizeof(buf));
		if (n > 0 && write_all(to, buf, (size_t)n) < 0)
			break;
	} while (n > 0 || (n < 0 && errno == EINTR));
	_exit(0);
}

static int put_pipe(struct own_files *own, int fd)
{
	int ends[2], ours = fd == STDIN_FILENO ? 0 : 1;

	own->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own->saved[fd] < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	own->copier[fd] = fork();
	if (own->copier[fd] == 0 && fd == STDIN_FILENO)
		copier_main(fd, ends[1], true);
	if (own->copier[fd] == 0)
		copier_main(ends[0], fd, false);
	if (own->copier[fd] < 0 || dup2(ends[ours], fd) < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* ">log 2>&1": in the order in which it was written. */
static int share_pipe(struct own_files *own)
{
	own->saved[2] = fcntl(2, F_DUPFD_CLOEXEC, 3);
	return own->saved[2] < 0 || dup2(1, 2) < 0 ? -errno : 0;
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return a >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

int own_files_keep(struct own_files *own, struct insp_err *err)
{
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++)
		if (is_file(fd))
			r = fd == 2 && is_same(own->saved[1], fd) ? share_pipe(own)
								  : put_pipe(own, fd);
	return r < 0 ? insp_err_set(err, r, "keep the caller's files") : 0;
}

/* It has all, once nobody is left who writes; one that cannot be killed keeps nobody waiting for ever. */
static void wait_for_copier(pid_t pid)
{
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };

	for (int i = 0; i < DRAIN_MS && waitpid(pid, NULL, WNOHANG) == 0; i++)
		nanosleep(&tick, NULL);
}

void own_files_back(struct own_files *own)
{
	for (int fd = 0; fd < 3; fd++)
		if (own->saved[fd] >= 0 && dup2(own->saved[fd], fd) >= 0)
			tool_closep(&own->saved[fd]);
	if (own->copier[0] > 0)
		kill(own->copier[0], SIGKILL);
	for (int fd = 0; fd < 3; fd++)
		if (own->copier[fd] > 0)
			wait_for_copier(own->copier[fd]);
}
