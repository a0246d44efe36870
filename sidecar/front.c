/* The caller's side: terminal, limits, waiting, and the exit status. It enters nothing. */
#include "sidecar/session-internal.h"
#include "libinspect/sysc.h"
#include "sidecar/rerun.h"
#include "sidecar/stopped.h"
#include "sidecar/toolbox.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Longer than a busy host needs by far; a hung network file system of the host never answers. */
#define ASSEMBLY_DEADLINE_MS 20000
#define UNPACK_DEADLINE_MS   300000 /* of a toolbox that is an archive */
#define STOP_DEADLINE_MS     3000
#define TARGET_END_MS	     1000

struct front {
	const struct sidecar_plan *plan;
	void (*warn)(const struct insp_err *err);
	struct hold *hold; /* of a detached session: who serves its terminal; NULL */
	struct insp_pty *pty;
	struct limits limits;
	int alive;    /* write end, held by nobody else */
	int messages; /* read end */
	int sigfd;
	int keep; /* the directory of --keep-changes; -1: none */
	int kept; /* that of --keep; -1: none */
	sigset_t old_mask;
	pid_t builder, supervisor;
	int supervisor_fd; /* pidfd */
	uint64_t mntns;
	int mntns_fd;		/* while it is open no other namespace gets the number */
	struct message failure; /* the last that said MESSAGE_FAILURE; kind 0: none */
};

static const int passed_on[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 };

/* Blocked from before the first process is started, so that none of them is forgotten. */
static int block_signals(struct front *f, struct insp_err *err)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	if (sigprocmask(SIG_BLOCK, &set, &f->old_mask) < 0)
		return insp_err_set(err, -errno, "block signals");
	f->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->sigfd < 0 ? insp_err_set(err, -errno, "watch for signals") : 0;
}

static int open_pty(struct front *f, struct insp_err *err)
{
	if (f->hold)
		return insp_pty_open_alone(&f->pty, err);
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return insp_pty_open(fd, &f->pty, err);
	return 0;
}

static int start_builder(struct front *f, struct insp_err *err)
{
	struct channels ch = { -1, -1, -1, f->keep };
	int alive[2], messages[2];
	pid_t self = getpid();

	if (pipe2(alive, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	f->alive = alive[1];
	ch.alive = alive[0];
	if (pipe2(messages, O_CLOEXEC) < 0) {
		close(ch.alive);
		return insp_err_set(err, -errno, "make a pipe");
	}
	f->messages = messages[0];
	ch.messages = messages[1];
	f->builder = fork();
	if (f->builder == 0) {
		sigprocmask(SIG_SETMASK, &f->old_mask, NULL);
		builder_main(f->plan, f->pty, &f->limits, &ch, self);
	}
	close(ch.alive);
	close(ch.messages);
	tool_closep(&f->limits.hold);
	return f->builder < 0 ? insp_err_set(err, -errno, "start a process") : 0;
}

/* 1: one message taken; 0: no writer is left; -EAGAIN: none now. */
static int read_message(struct front *f)
{
	struct message m;
	ssize_t n = read(f->messages, &m, sizeof(m));

	if (n != (ssize_t)sizeof(m))
		return n < 0 && errno == EAGAIN ? -EAGAIN : 0;
	switch (m.kind) {
	case MESSAGE_WARNING: f->warn(&m.err); break;
	case MESSAGE_READY:
		f->supervisor = m.supervisor;
		f->mntns = m.mntns;
		break;
	case MESSAGE_FAILURE: f->failure = m; break;
	}
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A signal while the builder works: nothing runs yet that could want it. */
static int interrupted(struct front *f, struct insp_err *err)
{
	struct signalfd_siginfo si;

	if (read(f->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return 0;
	f->failure.status = 128 + (int)si.ssi_signo;
	return insp_err_say(err, -EINTR, "interrupted");
}

static int failed(struct front *f, struct insp_err *err)
{
	if (f->failure.kind == MESSAGE_FAILURE)
		*err = f->failure.err;
	else
		insp_err_say(err, -EIO, "a process of ours was killed while the sidecar was made");
	return err->code ?: -EIO;
}

/*
 * The kernel gives a namespace's number away again at once, to a container that starts, say: the processes in it must
 * not be taken for ours (clean_up_after_supervisor()).
 */
static void hold_mntns(struct front *f)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)f->supervisor);
	f->mntns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->mntns_fd < 0 || fstat(f->mntns_fd, &st) < 0 || st.st_ino != f->mntns)
		f->mntns = 0;
}

static bool unpacks(const struct sidecar_plan *plan)
{
	return plan->opts->toolbox && plan->opts->toolbox->kind == TOOLBOX_ARCHIVE;
}

/* Until the supervisor is there. */
static int wait_ready(struct front *f, struct insp_err *err)
{
	int limit = unpacks(f->plan) ? UNPACK_DEADLINE_MS : ASSEMBLY_DEADLINE_MS;
	int64_t deadline = now_ms() + limit;

	while (!f->supervisor) {
		struct pollfd fds[] = { { f->messages, POLLIN, 0 }, { f->sigfd, POLLIN, 0 } };
		int64_t left = deadline - now_ms();
		int r;

		if (left <= 0) {
			insp_err_say(err, -ETIMEDOUT, "the sidecar is not ready after %d s",
				     limit / 1000);
			insp_err_hint(err, "a file system of the host may not answer");
			return -ETIMEDOUT;
		}
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return insp_err_set(err, -errno, "wait for the sidecar");
		if (fds[0].revents && read_message(f) == 0)
			return failed(f, err);
		if (f->failure.kind == MESSAGE_FAILURE)
			return failed(f, err);
		r = fds[1].revents ? interrupted(f, err) : 0;
		if (r < 0)
			return r;
	}
	/* our own child, not waited for: the number is its */
	f->supervisor_fd = sysc_pidfd_open(f->supervisor);
	hold_mntns(f);
	return 0;
}

/* Without a terminal: signals are passed on until the supervisor has ended. */
static void wait_plain(struct front *f)
{
	for (;;) {
		struct pollfd fds[] = { { f->supervisor_fd, POLLIN, 0 }, { f->sigfd, POLLIN, 0 } };
		struct signalfd_siginfo si;

		/* compat: kernel < 5.3: waitpid() it is, and signals come late */
		if (f->supervisor_fd < 0 || (poll(fds, 2, -1) < 0 && errno != EINTR))
			return;
		if (fds[0].revents)
			return;
		while (read(f->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si))
			kill(f->supervisor, (int)si.ssi_signo);
	}
}

static pid_t wait_for(pid_t pid, int *status)
{
	pid_t r;

	do {
		r = waitpid(pid, status, 0);
	} while (r < 0 && errno == EINTR);
	return r;
}

static bool is_inside(const struct front *f, const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", pid);
	return isdigit((unsigned char)pid[0]) && stat(path, &st) == 0 && st.st_ino == f->mntns;
}

static int kill_inside(const struct front *f)
{
	DIR *dir = opendir("/proc");
	int n = 0;

	if (!dir)
		return 0;
	for (struct dirent *de = readdir(dir); de; de = readdir(dir))
		if (is_inside(f, de->d_name)) {
			kill((pid_t)strtol(de->d_name, NULL, 10), SIGKILL);
			n++;
		}
	closedir(dir);
	return n;
}

/* The supervisor was killed: what it would have done. Nobody else's is in that mount namespace. */
static void clean_up_after_supervisor(const struct front *f)
{
	const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };

	for (int i = 0; f->mntns && i < 200 && kill_inside(f) > 0; i++)
		nanosleep(&tick, NULL);
	limits_remove(&f->limits);
}

/* A pid namespace's first process kills all others, sees them gone, and only then has ended. */
static bool target_ends(const struct front *f)
{
	struct pollfd pfd = { insp_pid_fd(f->plan->target), POLLIN, 0 };

	if (pfd.fd >= 0 && (f->plan->join & (1U << INSP_NS_PID)))
		poll(&pfd, 1, TARGET_END_MS);
	return !insp_pid_alive(f->plan->target);
}

static int supervisor_killed(struct front *f, int sig, int *ret_status, struct insp_err *err)
{
	clean_up_after_supervisor(f);
	*ret_status = 128 + sig;
	if (f->plan->target && target_ends(f)) {
		insp_err_say(err, -ESRCH,
			     "the container's first process %d has ended, and all in "
			     "its pid namespace with it",
			     (int)insp_pid_number(f->plan->target));
		insp_err_hint(err, "'cps -a' shows what became of it");
		return -ESRCH;
	}
	return insp_err_say(err, -EINTR, "the session was killed by signal %d", sig);
}

/* One that is not in its pid namespace outlives it. */
static void say_target_ended(const struct front *f)
{
	const struct insp_pid *target = f->plan->target;
	struct insp_err w = { 0 };

	if (!target || insp_pid_alive(target))
		return;
	insp_err_say(&w, -ESRCH, "the container's first process %d has ended meanwhile",
		     (int)insp_pid_number(target));
	insp_err_hint(&w, "its files were at /target until now; 'cps -a' shows what became of it");
	f->warn(&w);
}

static int finish(struct front *f, int *ret_status, struct insp_err *err)
{
	int status = 0;

	wait_for(f->supervisor, &status);
	/* all that could write have ended; one that was killed may have said nothing */
	fcntl(f->messages, F_SETFL, O_NONBLOCK);
	while (read_message(f) > 0)
		;
	if (f->failure.kind == MESSAGE_FAILURE) {
		*ret_status = f->failure.status;
		return failed(f, err);
	}
	if (WIFSIGNALED(status))
		return supervisor_killed(f, WTERMSIG(status), ret_status, err);
	say_target_ended(f);
	*ret_status = WEXITSTATUS(status);
	return 0;
}

static void give_up(struct front *f)
{
	if (f->builder > 0)
		kill(f->builder, SIGKILL);
	/* the supervisor, if there is one already, sees this and ends by itself */
	tool_closep(&f->alive);
	if (f->supervisor > 0)
		wait_for(f->supervisor, NULL);
	else if (f->builder > 0)
		waitpid(f->builder, NULL, WNOHANG);
}

/* The supervisor ends all, or, stopped by the container's root, is ended itself. */
static void end_session(struct front *f)
{
	struct pollfd pfd = { f->supervisor_fd, POLLIN, 0 };

	tool_closep(&f->alive);
	kill(f->supervisor, SIGCONT);
	if (poll(&pfd, 1, STOP_DEADLINE_MS) == 0)
		kill(f->supervisor, SIGKILL);
}

/* Its terminal is the holder's, and goes to who attaches. */
static int run_held(struct front *f, int *ret_status, struct insp_err *err)
{
	int r = 0;

	if (f->supervisor_fd < 0)
		r = insp_err_say(err, -ENOSYS,
				 "a detached session needs Linux 5.3 or later (pidfd_open)");
	/* the end of the messages: the command runs, or said why not */
	while (r == 0 && read_message(f) > 0)
		;
	if (f->failure.kind == MESSAGE_FAILURE)
		return finish(f, ret_status, err);
	r = r ?: hold_ready(f->hold, &f->limits, f->mntns_fd, err);
	if (r < 0) {
		give_up(f);
		return r;
	}
	if (hold_serve(f->hold, insp_pty_take_master(f->pty), f->supervisor_fd, f->sigfd,
		       f->supervisor) == 0)
		end_session(f);
	r = finish(f, ret_status, err);
	hold_drain(f->hold);
	return r;
}

static int run(struct front *f, int *ret_status, struct insp_err *err)
{
	int r = start_builder(f, err);

	fault_point("started");
	r = r ?: wait_ready(f, err);
	fault_point("ready");
	if (r < 0) {
		if (f->failure.status)
			*ret_status = f->failure.status;
		give_up(f);
		return r;
	}
	wait_for(f->builder, NULL);
	if (f->hold)
		return run_held(f, ret_status, err);
	if (f->pty) {
		r = insp_pty_relay(f->pty, f->supervisor_fd, err);
		f->pty = insp_pty_close(f->pty);
		/* the terminal is gone: so is who wanted the command */
		if (r < 0) {
			give_up(f);
			return r;
		}
	} else {
		wait_plain(f);
	}
	return finish(f, ret_status, err);
}

int sidecar_run(const struct sidecar_plan *plan, void (*warn)(const struct insp_err *err),
		int *ret_status, struct insp_err *err)
{
	return sidecar_run_held(plan, NULL, warn, ret_status, err);
}

int sidecar_run_held(const struct sidecar_plan *plan, struct hold *h,
		     void (*warn)(const struct insp_err *err), int *ret_status,
		     struct insp_err *err)
{
	struct front f = { .plan = plan,
			   .hold = h,
			   .warn = warn,
			   .limits = LIMITS_NONE,
			   .alive = -1,
			   .messages = -1,
			   .sigfd = -1,
			   .keep = -1,
			   .kept = -1,
			   .supervisor_fd = -1,
			   .mntns_fd = -1 };
	struct own_files own = OWN_FILES_NONE;
	int r = block_signals(&f, err);

	*ret_status = INSP_EXIT_OWN_FAILURE;
	if (r == 0)
		r = plan->opts->share_cgroup
			    ? share_cgroup(plan->sys, plan->target, &f.limits, err)
			    : limits_find(plan->sys, &plan->opts->limits, &f.limits, err);
	fault_point("limits");
	r = r ?: keep_open(plan, &f.keep, err);
	r = r ?: toolbox_keep_open(plan->opts->toolbox, &f.kept, err);
	r = r ?: open_pty(&f, err);
	r = r || !plan->rerun ? r : own_files_keep(&own, err);
	r = r ?: run(&f, ret_status, err);
	own_files_back(&own);
	insp_pty_close(f.pty);
	tool_closep(&f.keep);
	tool_closep(&f.kept);
	limits_close(&f.limits);
	tool_closep(&f.alive);
	tool_closep(&f.messages);
	tool_closep(&f.supervisor_fd);
	tool_closep(&f.mntns_fd);
	tool_closep(&f.sigfd);
	sigprocmask(SIG_SETMASK, &f.old_mask, NULL);
	return r;
}
