/* The worker and the command's process: see run.h. */
#include "libinspect/enter/run.h"

#include "libinspect/base/io.h"
#include "libinspect/enter/pty.h"
#include "libinspect/sysc.h"

#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define USER_BIT (1U << INSP_NS_USER)

static void report(const struct run *run, enum report_kind kind, int value,
		   const struct insp_err *err)
{
	struct report rep = { .kind = kind, .value = value };

	if (err)
		rep.err = *err;
	/* nobody to tell when the front is gone */
	(void)!write(run->report, &rep, sizeof(rep));
}

/*
 * Before joining, through the caller's own /proc: the container's may be anything (CVE-2025-52881). The context for the
 * next execve() is inherited by the command's process.
 */
static int follow_context(const struct insp_enter_plan *plan, struct insp_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!plan->context)
		return 0;
	fd = open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : io_write_all(fd, plan->context, strlen(plan->context));
	return r < 0 ? insp_err_set(err, r, "follow the SELinux context") : 0;
}

/* Whoever has the caller's session keyring can read its keys, by their possession alone. session-keyring(7). */
static int leave_keyring(const struct insp_enter_plan *plan, struct insp_err *err)
{
	if (!plan->d.inside || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	/* a kernel without keys, or a filter that keeps us from ours: from the command's, too */
	if (errno == ENOSYS || errno == EPERM)
		return 0;
	return insp_err_set(err, -errno, "make a session keyring");
}

/* Where mounts are still to be made, the privileges of the outer user namespace are needed a little longer. */
static bool user_is_late(const struct enter_decision *d)
{
	return d->private_mounts && (d->join & USER_BIT);
}

/* The fds that the way in needs, at most 6. */
static size_t needed_fds(const struct run *run, int *fds)
{
	const struct insp_enter_plan *plan = run->plan;
	size_t n = 0;

	fds[n++] = insp_pid_fd(plan->target);
	fds[n++] = insp_pid_procfd(plan->target);
	fds[n++] = plan->rootfd;
	fds[n++] = plan->cwdfd;
	fds[n++] = run->report;
	return n;
}

/* What the command's process is born with besides 0, 1 and 2. */
static size_t kept_fds(const struct run *run, int *fds)
{
	size_t n = 0;

	fds[n++] = run->report;
	if (user_is_late(&run->plan->d)) {
		fds[n++] = insp_pid_fd(run->plan->target);
		fds[n++] = insp_pid_procfd(run->plan->target);
	}
	return n;
}

/* The caller's terminal goes, the pty takes its place; its other end stays with the front alone. */
static int take_pty(struct run *run, struct insp_err *err)
{
	for (int i = 2; run->pty && i >= 0; i--) {
		if (!run->pty->replace[i])
			continue;
		if (dup2(run->pty->slave, i) < 0)
			return insp_err_set(err, -errno, "take the terminal as %d", i);
		run->tty = i;
	}
	return 0;
}

static int enter_namespaces(const struct insp_enter_plan *plan, struct insp_err *err)
{
	unsigned join = plan->d.join;
	int r;

	if (plan->d.private_mounts) {
		r = enter_mounts_unshare(err);
		if (r < 0)
			return r;
	}
	if (user_is_late(&plan->d))
		join &= ~USER_BIT;
	return enter_join(plan->target, join, err);
}

/* Everything up to the command's process. */
static int go_in(struct run *run, struct insp_err *err)
{
	const struct insp_enter_plan *plan = run->plan;
	int fds[8], selffd, r;

	/* before the first setns(), until execve(): nobody inside may trace us, or reach our fds */
	prctl(PR_SET_DUMPABLE, 0);
	r = take_pty(run, err);
	if (r < 0)
		return r;
	/* compat: kernel < 5.9 lists its fds; afterwards /proc is not ours any more */
	selffd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[0] = selffd;
	enter_close_fds(selffd, fds, 1 + needed_fds(run, fds + 1));
	r = follow_context(plan, err);
	if (r == 0)
		r = leave_keyring(plan, err);
	if (r == 0)
		r = enter_namespaces(plan, err);
	if (r == 0 && (plan->d.join & USER_BIT) && !user_is_late(&plan->d))
		enter_creds_fs();
	if (r == 0)
		r = enter_place_apply(plan, err);
	if (r < 0)
		return r;
	enter_close_fds(selffd, fds, kept_fds(run, fds));
	/* inside at last: the capabilities go before the container sees the command's process */
	return plan->d.private_mounts ? 0
				      : insp_enter_creds_apply(&plan->d.ids, &plan->d.caps, err);
}

/* Last steps that only the command's process can do. */
static int settle(struct run *run, struct insp_err *err)
{
	const struct insp_enter_plan *plan = run->plan;
	int r;

	if (!plan->d.private_mounts)
		return 0;
	r = enter_mounts_make(plan, err);
	if (r == 0 && user_is_late(&plan->d))
		r = enter_join(plan->target, USER_BIT, err);
	if (r < 0)
		return r;
	return insp_enter_creds_apply(&plan->d.ids, &plan->d.caps, err);
}

/* After the change of ids, which resets it: the command does not outlive the front, not even its kill -9. */
static int die_with_front(const struct run *run, struct insp_err *err)
{
	struct pollfd p = { .fd = run->report };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return insp_err_set(err, -errno, "bind the command to this process");
	/* it may have gone before that */
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))
		_exit(INSP_EXIT_OWN_FAILURE);
	return 0;
}

/*
 * A program of the container gets a session of its own also without a pty: in the caller's it could open /dev/tty, the
 * caller's terminal, and kill(0, SIGKILL) would reach the script that we were called by.
 */
static int take_session(const struct run *run, struct insp_err *err)
{
	if (run->tty < 0 && !run->plan->d.inside)
		return 0;
	if (setsid() < 0 || (run->tty >= 0 && ioctl(run->tty, TIOCSCTTY, 0) < 0))
		return insp_err_set(err, -errno, "take the terminal");
	return 0;
}

static void __attribute__((noreturn)) be_command(struct run *run)
{
	struct insp_err err = { 0 };
	int r = settle(run, &err);

	if (r == 0)
		r = die_with_front(run, &err);
	if (r == 0)
		r = take_session(run, &err);
	if (r == 0) {
		r = enter_exec(run->argv, run->plan->env, &err);
		report(run, REPORT_NO_EXEC, r, &err);
		_exit(r);
	}
	report(run, REPORT_FAILED, 0, &err);
	_exit(INSP_EXIT_OWN_FAILURE);
}

/* A sibling of the caller, child of the front. Raw: the C library's fork() has no such flag. */
static pid_t fork_sibling(void)
{
	unsigned long flags = CLONE_PARENT | SIGCHLD;

#if defined(__s390x__)
	return (pid_t)syscall(SYS_clone, 0, flags, NULL, NULL, 0);
#else
	return (pid_t)syscall(SYS_clone, flags, 0, NULL, NULL, 0);
#endif
}

void run_worker(struct run *run)
{
	struct insp_err err = { 0 };
	pid_t child;
	int r;

	/* a directory on a file system that the container serves may hold us up: not longer than the front waits */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = go_in(run, &err);
	if (r < 0) {
		report(run, REPORT_FAILED, 0, &err);
		_exit(INSP_EXIT_OWN_FAILURE);
	}
	child = fork_sibling();
	if (child == 0)
		be_command(run);
	if (child < 0) {
		insp_err_set(&err, -errno, "make a process in the container");
		report(run, REPORT_FAILED, 0, &err);
		_exit(INSP_EXIT_OWN_FAILURE);
	}
	report(run, REPORT_CHILD, child, NULL);
	_exit(0);
}

int run_in_place(struct run *run, int *ret_status, struct insp_err *err)
{
	int r = go_in(run, err);

	if (r == 0)
		r = settle(run, err);
	if (r < 0)
		return r;
	*ret_status = enter_exec(run->argv, run->plan->env, err);
	return 0;
}
