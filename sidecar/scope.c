/*
 * Limits on a host that systemd manages: a transient scope, made by systemd itself, which owns the cgroup tree there
 * (systemd.io/CGROUP_DELEGATION). The scope is gone with its last process, also after a kill -9 of all of ours.
 *
 * systemd is asked with the host's /usr/bin/busctl, before anything of the target is looked into: libsystemd comes
 * without an archive, and cdebug is static. A scope needs a process to start with. The command does not exist yet, and
 * its pid would be a number inside the target by which another process there could pass for it; so a process that only
 * waits is the first, and leaves when the command has joined.
 *
 * org.freedesktop.systemd1(5); properties of systemd >= 236 (CollectMode, DelegateControllers).
 */
#include "sidecar/internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define BUSCTL		   "/usr/bin/busctl"
#define BUSCTL_DEADLINE_MS 10000
#define NOT_RUN		   127 /* exit status of a busctl that could not be started */
#define JOB_DEADLINE_MS	   10000

/* sd_booted(3) */
bool scope_wanted(void)
{
	struct stat st;

	return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the scope's first process ---- */

/* Until nobody has the other end of hold: the command has joined, or there will be none. */
static _Noreturn void wait_for_command(int hold, int report)
{
	pid_t self = getpid();
	int keep[] = { hold };
	char c;

	if (write(report, &self, sizeof(self)) != (ssize_t)sizeof(self))
		_exit(1);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	proc_close_others(keep, 1);
	prctl(PR_SET_NAME, "cdebug");
	setsid();
	while (read(hold, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/*
 * Not our child but init's: as a zombie that waits for us it would still be counted in the scope.
 */
static pid_t start_first(int hold)
{
	_cleanup_close_ int in = -1;
	int report[2];
	pid_t pid = -1, middle;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	in = report[0];
	middle = fork();
	if (middle == 0) {
		if (fork() == 0)
			wait_for_command(hold, report[1]);
		_exit(0);
	}
	close(report[1]);
	if (middle < 0)
		return -1;
	if (read(in, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		pid = -1;
	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
	return pid;
}

/* ---- busctl ---- */

#define CALL_MAX 64

/* Its arguments; the texts that are made stay in text. */
struct call {
	char *argv[CALL_MAX];
	size_t n;
	char text[8][32];
	size_t n_text;
};

static void arg(struct call *c, const char *s)
{
	if (c->n < CALL_MAX - 1)
		c->argv[c->n++] = (char *)s;
}

static void arg_number(struct call *c, uint64_t number)
{
	char *text = c->text[c->n_text++];

	snprintf(text, sizeof(c->text[0]), "%" PRIu64, number);
	arg(c, text);
}

static void property(struct call *c, const char *name, const char *type)
{
	arg(c, name);
	arg(c, type);
}

static void property_number(struct call *c, const char *name, uint64_t number)
{
	property(c, name, "t");
	arg_number(c, number);
}

static void make_call(struct call *c, const char *unit, pid_t first, const struct sidecar_limits *w)
{
	static const char *const head[] = { BUSCTL,
					    "--system",
					    "--quiet",
					    "call",
					    "org.freedesktop.systemd1",
					    "/org/freedesktop/systemd1",
					    "org.freedesktop.systemd1.Manager",
					    "StartTransientUnit",
					    "ssa(sv)a(sa(sv))" };

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		arg(c, head[i]);
	arg(c, unit);
	arg(c, "fail"); /* if a job for it is queued: there is none */
	arg_number(c, 4 + (w->memory ? 2 : 0) + (w->cpus > 0 ? 1 : 0) + (w->pids ? 1 : 0));
	property(c, "Description", "s");
	arg(c, "cdebug session");
	property(c, "PIDs", "au");
	arg(c, "1");
	arg_number(c, (uint64_t)first);
	/* a failed one (out of memory) is not kept */
	property(c, "CollectMode", "s");
	arg(c, "inactive-or-failed");
	/* the command puts itself in; and one process that ran out of memory does not end the session (OOMPolicy=) */
	property(c, "DelegateControllers", "as");
	arg(c, "0");
	if (w->memory) {
		property_number(c, "MemoryMax", w->memory);
		property_number(c, "MemorySwapMax", 0);
	}
	if (w->cpus > 0)
		property_number(c, "CPUQuotaPerSecUSec", (uint64_t)(w->cpus * 1e6));
	if (w->pids)
		property_number(c, "TasksMax", w->pids);
	arg(c, "0"); /* no auxiliary units */
}

static _Noreturn void busctl(struct call *c, int out, pid_t front)
{
	static char path[] = "PATH=" SIDECAR_PATH, locale[] = "LC_ALL=C";
	char *envp[] = { path, locale, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || getppid() != front || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(1);
	proc_close_others(NULL, 0);
	setsid();
	proc_default_signals();
	execve(BUSCTL, c->argv, envp);
	_exit(NOT_RUN);
}

/* What it says up to its end, or to the deadline: then it is killed. */
static void read_all(int fd, pid_t pid, char *buf, size_t size)
{
	int64_t deadline = now_ms() + BUSCTL_DEADLINE_MS;
	char rest[256];
	size_t len = 0;

	for (;;) {
		struct pollfd pfd = { fd, POLLIN, 0 };
		int64_t left = deadline - now_ms();
		bool full = len == size - 1;
		ssize_t n;

		if (left <= 0 || (poll(&pfd, 1, (int)left) <= 0 && errno != EINTR)) {
			kill(pid, SIGKILL);
			break;
		}
		n = read(fd, full ? rest : buf + len, full ? sizeof(rest) : size - 1 - len);
		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
		if (n > 0 && !full)
			len += (size_t)n;
	}
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static int err_busctl(int status, const char *said, struct insp_err *err)
{
	if (WIFSIGNALED(status))
		insp_err_say(err, -ETIMEDOUT, "systemd did not answer within %d s",
			     BUSCTL_DEADLINE_MS / 1000);
	else if (WEXITSTATUS(status) == 127)
		insp_err_say(err, -ENOENT,
			     "this host is systemd's, and has no " BUSCTL " to ask it for a scope");
	else
		insp_err_say(err, -EIO, "start a scope of systemd: %s",
			     said[0] ? said : "refused without a reason");
	insp_err_hint(err, "without a limit no scope is needed");
	return err->code;
}

static int run_busctl(struct call *c, struct insp_err *err)
{
	_cleanup_close_ int in = -1;
	pid_t self = getpid(), pid;
	char said[160];
	int out[2], status = 0;

	if (pipe2(out, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	in = out[0];
	pid = fork();
	if (pid == 0)
		busctl(c, out[1], self);
	close(out[1]);
	if (pid < 0)
		return insp_err_set(err, -errno, "start a process");
	read_all(in, pid, said, sizeof(said));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : err_busctl(status, said, err);
}

/* ---- the scope's cgroups ---- */

static bool dir_is(int dirfd, const char *unit)
{
	char path[PROC_FD_PATH_MAX], target[4096];
	const char *name;
	ssize_t n;

	proc_fd_path(dirfd, path);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name && strcmp(name + 1, unit) == 0;
}

/* Those of the hierarchies that the scope has a cgroup in: one with v2, some with v1. -EAGAIN: none yet. */
static int take_cgroups(struct insp_sys *sys, const char *unit, pid_t first, struct limits *l,
			struct insp_err *err)
{
	_cleanup_(insp_cgroups_clear) struct insp_cgroups all = { 0 };
	int r = insp_cgroups_open(sys, first, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n && l->n < LIMITS_MAX; i++) {
		if (!dir_is(all.items[i].dirfd, unit))
			continue;
		r = limits_add_ready(l, all.items[i].dirfd);
		if (r < 0)
			return insp_err_set(err, r, "open the cgroup of the scope '%s'", unit);
	}
	return l->n ? 0 : -EAGAIN;
}

/* The job that moves the process in runs after the call. */
static int wait_for_cgroups(struct insp_sys *sys, const char *unit, pid_t first, struct limits *l,
			    struct insp_err *err)
{
	const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };
	int64_t deadline = now_ms() + JOB_DEADLINE_MS;
	int r;

	for (;;) {
		r = take_cgroups(sys, unit, first, l, err);
		if (r != -EAGAIN)
			return r;
		if (now_ms() > deadline)
			return insp_err_say(err, -ETIMEDOUT,
					    "systemd did not start the scope '%s' within %d s",
					    unit, JOB_DEADLINE_MS / 1000);
		nanosleep(&tick, NULL);
	}
}

int scope_start(struct insp_sys *sys, const struct sidecar_limits *wanted, struct limits *l,
		struct insp_err *err)
{
	_cleanup_close_ int wait_end = -1;
	struct call c = { .n = 0 };
	char unit[sizeof(l->name) + sizeof(".scope")];
	int hold[2], r;
	pid_t first;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	wait_end = hold[0];
	l->hold = hold[1];
	first = start_first(wait_end);
	if (first <= 0)
		return insp_err_set(err, -errno, "start a process");
	snprintf(unit, sizeof(unit), "%s.scope", l->name);
	make_call(&c, unit, first, wanted);
	r = run_busctl(&c, err);
	return r < 0 ? r : wait_for_cgroups(sys, unit, first, l, err);
}
