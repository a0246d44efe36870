/*
 * The first of our processes inside the target's pid namespace, and the parent of all others: as subreaper it gets
 * every orphan among them, so that none ends up with the target's init.
 */
#include "sidecar/internal.h"
#include "sidecar/mounts.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

struct supervisor {
	pid_t command;
	int status; /* of the command, -1: it runs */
	int sigfd;
	int alive;
};

static const int forwarded[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 };

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Takes every zombie. Returns whether children are left. */
static bool reap(struct supervisor *s)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == s->command && pid > 0)
			s->status = proc_exit_status(status);
		if (pid == 0)
			return true;
		if (pid < 0 && errno != EINTR)
			return false;
	}
}

/* Kills the pids that the text of a "children" file lists. */
static void kill_listed(const char *p)
{
	while (*p) {
		char *end;
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		if (pid > 0)
			kill((pid_t)pid, SIGKILL);
		p = end;
	}
}

static bool kill_children_listed(void)
{
	char path[64], buf[8192];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	n = files_read(AT_FDCWD, path, buf, sizeof(buf));
	if (n < 0)
		return false;
	/* a pid that was cut off at the end must not be another's */
	if (n == (ssize_t)sizeof(buf) - 1)
		while (n > 0 && buf[n - 1] != ' ')
			n--;
	buf[n] = '\0';
	kill_listed(buf);
	return true;
}

static pid_t parent_of(const char *pid)
{
	char path[64], buf[512], *p;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (files_read(AT_FDCWD, path, buf, sizeof(buf)) <= 0)
		return 0;
	/* "12 (comm) S 1": comm may hold anything, also ')' */
	p = strrchr(buf, ')');
	return p && strlen(p) > 4 ? (pid_t)strtol(p + 4, NULL, 10) : 0;
}

/* compat: a kernel without CONFIG_PROC_CHILDREN */
static void kill_children_scanned(void)
{
	DIR *dir = opendir("/proc");

	if (!dir)
		return;
	for (struct dirent *de = readdir(dir); de; de = readdir(dir))
		if (isdigit((unsigned char)de->d_name[0]) && parent_of(de->d_name) == getpid())
			kill((pid_t)strtol(de->d_name, NULL, 10), SIGKILL);
	closedir(dir);
}

/* Those below a killed child become ours, and are killed in the next round. */
static void kill_all(struct supervisor *s)
{
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };

	/* the command's own process group first: most are in it, and none gets to fork in between */
	if (s->status < 0 && s->command > 0)
		kill(-s->command, SIGKILL);
	while (reap(s)) {
		if (!kill_children_listed())
			kill_children_scanned();
		nanosleep(&tick, NULL);
	}
}

static void handle_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(s);
		else if (s->status < 0 && kill(-s->command, (int)si.ssi_signo) < 0)
			kill(s->command, (int)si.ssi_signo);
	}
}

/* Until the command or the front has ended. */
static void watch(struct supervisor *s)
{
	while (s->status < 0) {
		struct pollfd fds[] = { { s->alive, POLLIN, 0 }, { s->sigfd, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		if (fds[1].revents)
			handle_signals(s);
	}
}

static _Noreturn void fail(const struct limits *limits, const struct channels *ch,
			   const struct insp_err *err)
{
	limits_remove(limits);
	message_die(ch->messages, INSP_EXIT_OWN_FAILURE, err);
}

static int prepare(const struct sidecar_plan *plan, struct limits *limits, struct supervisor *s,
		   struct insp_err *err)
{
	int r;

	prctl(PR_SET_NAME, "cdebug");
	prctl(PR_SET_DUMPABLE, 0);
	/* the target's root may have stopped us (SIGSTOP): the end of the front is still seen to */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return insp_err_set(err, -errno, "become the parent of orphans");
	s->sigfd = watch_signals();
	if (s->sigfd < 0)
		return insp_err_set(err, -errno, "watch for signals");
	r = plan->join & (1U << INSP_NS_PID) ? mounts_proc(err) : 0;
	if (r < 0)
		return r;
	fault_point("proc");
	r = limits_create(limits, &plan->opts->limits, err);
	fault_point("cgroup");
	return r;
}

_Noreturn void supervisor_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			       struct limits *limits, struct channels *ch)
{
	struct supervisor s = { .status = -1, .sigfd = -1, .alive = ch->alive };
	struct insp_err err = { 0 };
	pid_t self = getpid();
	int keep[LIMITS_MAX + 2], n = 0;

	if (prepare(plan, limits, &s, &err) < 0)
		fail(limits, ch, &err);
	s.command = fork();
	if (s.command == 0)
		command_main(plan, pty, limits, ch, self);
	if (s.command < 0) {
		insp_err_set(&err, -errno, "start the command");
		fail(limits, ch, &err);
	}
	fault_point("supervisor");
	/* nothing is needed any more but to see the end and to clean up */
	for (int i = 0; i < LIMITS_MAX; i++)
		keep[n++] = limits->parent[i];
	keep[n++] = s.sigfd;
	keep[n++] = s.alive;
	proc_close_others(keep, (size_t)n);
	watch(&s);
	kill_all(&s);
	limits_remove(limits);
	_exit(s.status < 0 ? INSP_EXIT_OWN_FAILURE : s.status);
}
