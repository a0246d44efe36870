/* What the sidecar's processes do alike: fds, signals, messages. */
#include "sidecar/internal.h"
#include "libinspect/sysc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void close_between(int first, int last)
{
	struct rlimit rl;

	if (first > last || sysc_close_range((unsigned)first, (unsigned)last) == 0)
		return;
	/* compat: kernel < 5.9 */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && (rlim_t)last > rl.rlim_cur)
		last = (int)rl.rlim_cur;
	for (int fd = first; fd <= last; fd++)
		close(fd);
}

void proc_close_others(int *keep, size_t n)
{
	int next = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < next)
			continue;
		close_between(next, keep[i] - 1);
		next = keep[i] + 1;
	}
	close_between(next, INT32_MAX);
}

bool proc_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

void proc_fd_path(int fd, char buf[PROC_FD_PATH_MAX])
{
	snprintf(buf, PROC_FD_PATH_MAX, "/proc/self/fd/%d", fd);
}

int proc_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void proc_default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int proc_drop_terminals(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd) && dup2(null, fd) < 0)
			return -errno;
	if (null < 3)
		null = -1; /* it took the place of one that was closed */
	return 0;
}

void message_send(int fd, const struct message *m)
{
	ssize_t n;

	do {
		n = write(fd, m, sizeof(*m));
	} while (n < 0 && errno == EINTR);
}

void message_warn(int fd, const struct insp_err *err)
{
	struct message m = { .kind = MESSAGE_WARNING, .err = *err };

	message_send(fd, &m);
}

_Noreturn void message_die(int fd, int status, const struct insp_err *err)
{
	struct message m = { .kind = MESSAGE_FAILURE, .status = status, .err = *err };

	message_send(fd, &m);
	_exit(status);
}
