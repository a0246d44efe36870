#include "tools/cdiff/hostdiff.h"
#include "libinspect/sysc.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TEXT_SIZE_MAX  (16 * 1024 * 1024)
#define MEMORY_MAX     (512 * 1024 * 1024)
#define CPU_SECONDS    5
#define NOBODY	       65534
#define STATUS_NO_DIFF 126
#define FIRST_TEXT_FD  3
#define PROGRAM_FD     5

static const char *const programs[] = { "/usr/bin/diff", "/bin/diff" };

/* A copy in memory that nobody else can change. */
static int copy_text(int fd, int *ret_fd)
{
	_cleanup_close_ int copy = memfd_create("text", MFD_CLOEXEC);
	char buf[32 * 1024];
	size_t total = 0;
	ssize_t n;

	if (copy < 0)
		return -errno;
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		total += (size_t)n;
		if (total > TEXT_SIZE_MAX)
			return -EFBIG;
		if (write(copy, buf, (size_t)n) != n)
			return -ENOMEM;
	}
	*ret_fd = copy;
	copy = -1;
	return 0;
}

/* Root's, in a directory of root's, and nobody else's to write. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_close_ int fd = open(programs[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && is_ours(fd)) {
			int taken = fd;

			fd = -1;
			return taken;
		}
	}
	return -ENOEXEC;
}

static void set_limit(int resource, rlim_t max)
{
	struct rlimit limit = { max, max };

	(void)setrlimit(resource, &limit);
}

/* No more rights than it takes to read two texts in memory. */
static bool drop_rights(void)
{
	set_limit(RLIMIT_CPU, CPU_SECONDS);
	set_limit(RLIMIT_AS, MEMORY_MAX);
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	if (geteuid() != 0)
		return true;
	return syscall(SYS_setgroups, 0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* Moves fds to where they are expected without one overwriting another: all of them are above first. */
static bool place(int fd, int at)
{
	return dup3(fd, at, 0) == at;
}

/* What the caller's caller left open is none of diff's business. */
static void close_from(unsigned first)
{
	struct rlimit limit;

	/* compat: kernel < 5.9 */
	if (sysc_close_range(first, ~0U) < 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		for (unsigned fd = first; fd < limit.rlim_cur; fd++)
			close((int)fd);
}

static void child(int program, const int texts[2], int out, const struct hostdiff_side sides[2])
{
	const char *const argv[] = { "diff",	    "-u",	 "--label",
				     sides[0].name, "--label",	 sides[1].name,
				     "/dev/fd/3",   "/dev/fd/4", NULL };
	const char *const envp[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC),
	    high[4] = { null, out, texts[0], texts[1] };

	for (int i = 0; i < 4; i++) {
		high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			_exit(STATUS_NO_DIFF);
	}
	program = fcntl(program, F_DUPFD_CLOEXEC, 16);
	if (program >= 0 && place(high[0], 0) && place(high[1], 1) && place(high[0], 2) &&
	    place(high[2], FIRST_TEXT_FD) && place(high[3], FIRST_TEXT_FD + 1) &&
	    dup3(program, PROGRAM_FD, O_CLOEXEC) == PROGRAM_FD) {
		close_from(PROGRAM_FD + 1);
		if (drop_rights())
			(void)fexecve(PROGRAM_FD, (char *const *)argv, (char *const *)envp);
	}
	_exit(STATUS_NO_DIFF);
}

/* Tabs and line ends stay. */
static bool put_line(const char *line, size_t len)
{
	while (len > 0) {
		const char *stop = memchr(line, '\t', len);
		size_t n = stop ? (size_t)(stop - line) : len;
		bool end = !stop && line[n - 1] == '\n';
		_cleanup_free_ char *safe = insp_escape(line, n - end);

		if (!safe)
			return false;
		fputs(safe, stdout);
		if (stop)
			putchar('\t');
		else if (end)
			putchar('\n');
		line += n + (stop != NULL);
		len -= n + (stop != NULL);
	}
	return !ferror(stdout);
}

static int relay(FILE *from, bool tty)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, from)) > 0)
		if (tty ? !put_line(line, (size_t)n)
			: fwrite(line, 1, (size_t)n, stdout) != (size_t)n)
			return -EIO;
	return 0;
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_DIFF ? -ENOEXEC : -ETIME;
}

static int run(int program, const int texts[2], const struct hostdiff_side sides[2], bool tty)
{
	int pipefd[2], r;
	FILE *from;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -errno;
	fflush(stdout); /* nothing of it may be in the child, too */
	pid = fork();
	if (pid == 0)
		child(program, texts, pipefd[1], sides);
	close(pipefd[1]);
	from = pid > 0 ? fdopen(pipefd[0], "r") : NULL;
	if (!from) {
		r = pid < 0 ? -errno : -ENOMEM;
		close(pipefd[0]);
	} else {
		r = relay(from, tty);
		fclose(from); /* a diff that still writes ends here */
	}
	if (pid > 0) {
		int s = status_of(pid);

		r = r < 0 ? r : s;
	}
	return r;
}

int hostdiff(const struct hostdiff_side sides[2], bool tty)
{
	_cleanup_close_ int program = open_program();
	_cleanup_close_ int a = -1, b = -1;
	int r = program < 0 ? -ENOEXEC : copy_text(sides[0].fd, &a);

	if (r == 0)
		r = copy_text(sides[1].fd, &b);
	return r < 0 ? r : run(program, (const int[2]){ a, b }, sides, tty);
}
