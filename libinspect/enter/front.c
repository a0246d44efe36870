/* The front: see run.h. It stays outside, and holds the caller's terminal. */
#include "libinspect/enter/pty.h"
#include "libinspect/enter/run.h"
#include "libinspect/sysc.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

void front_signals(sigset_t *ret)
{
	static const int passed[] = { SIGTERM, SIGINT,	SIGHUP,	  SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD };

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(ret, passed[i]);
}

static int status_of(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

/* A stopped command stops its front, as a shell expects of a job; what continues one continues both. */
static void stop_too(pid_t child)
{
	kill(getpid(), SIGSTOP);
	kill(child, SIGCONT);
}

/*
 * What the terminal sends goes to every process in the foreground: to the command by itself where it shares our process
 * group, else by us to the command's.
 */
static void pass_on(pid_t child, bool own_session, const siginfo_t *si)
{
	if (si->si_code != SI_KERNEL)
		kill(child, si->si_signo);
	else if (own_session && kill(-child, si->si_signo) < 0)
		kill(child, si->si_signo);
}

int front_wait(pid_t child, bool own_session, int *ret_status, struct insp_err *err)
{
	sigset_t set;

	front_signals(&set);
	for (;;) {
		siginfo_t si;
		int wstatus;
		pid_t pid = waitpid(child, &wstatus, WNOHANG | WUNTRACED);

		if (pid < 0)
			return insp_err_set(err, -errno, "wait for the command");
		if (pid > 0 && WIFSTOPPED(wstatus)) {
			stop_too(child);
			continue;
		}
		if (pid > 0) {
			*ret_status = status_of(wstatus);
			return 0;
		}
		if (sigwaitinfo(&set, &si) > 0 && si.si_signo != SIGCHLD)
			pass_on(child, own_session, &si);
	}
}

/* One report. 0: nobody has the pipe open any more. */
static int read_report(int fd, struct report *ret)
{
	ssize_t n;

	do {
		n = read(fd, ret, sizeof(*ret));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return 0;
	ret->err.text[sizeof(ret->err.text) - 1] = '\0';
	ret->err.hint[sizeof(ret->err.hint) - 1] = '\0';
	return 1;
}

static int failed(const struct report *rep, struct insp_err *err)
{
	int code = rep->err.code < 0 ? rep->err.code : -EIO;

	if (err)
		*err = rep->err;
	return code;
}

/*
 * The command's pid from the worker. Only a child of ours counts: whoever got hold of the pipe could name any process
 * for us to signal. A failure that the command's process was quicker to tell is kept in *early.
 */
static int await_child(int fd, pid_t worker, struct report *early, pid_t *ret_child,
		       struct insp_err *err)
{
	struct report rep = { 0 };
	siginfo_t si;

	while (read_report(fd, &rep) && rep.kind != REPORT_CHILD)
		*early = rep;
	waitpid(worker, NULL, 0);
	if (rep.kind != REPORT_CHILD || rep.value <= 0 ||
	    waitid(P_PID, (id_t)rep.value, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
		return early->kind ? failed(early, err)
				   : insp_err_say(err, -EIO, "the process that enters ended early");
	*ret_child = rep.value;
	return 0;
}

/* The relay's failure (the caller's terminal is gone) ends the command, too. */
static void relay(struct insp_pty *pty, pid_t child, struct insp_err *err)
{
	_cleanup_close_ int pidfd = sysc_pidfd_open(child);

	if (insp_pty_relay(pty, pidfd, err) < 0)
		kill(child, SIGHUP);
}

static int front(struct run *run, int fd, pid_t worker, int *ret_status, struct insp_err *err)
{
	struct report rep = { 0 };
	pid_t child = -1;
	sigset_t set;
	int status, r;

	r = await_child(fd, worker, &rep, &child, err);
	if (r < 0)
		return r;
	/* until here a signal ends us, and with us the worker; from here on it is the command's */
	front_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (run->pty)
		relay(run->pty, child, NULL);
	/* nobody reads it any more: what is left of the command gets SIGHUP */
	run->pty = insp_pty_close(run->pty);
	r = front_wait(child, run->plan->d.inside, &status, err);
	if (r < 0)
		return r;
	/* somebody else may have got hold of the other end: do not wait for him to close it */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (!rep.kind && read_report(fd, &rep))
		;
	if (rep.kind == REPORT_FAILED)
		return failed(&rep, err);
	if (rep.kind == REPORT_NO_EXEC && err)
		*err = rep.err;
	*ret_status = status;
	return 0;
}

static int caller_tty(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

static int run_forked(struct run *run, int *ret_status, struct insp_err *err)
{
	_cleanup_close_ int reader = -EBADF, writer = -EBADF;
	int pipefd[2], tty = caller_tty(), r;
	pid_t worker;

	if (run->plan->d.pty && tty >= 0) {
		r = insp_pty_open(tty, &run->pty, err);
		if (r < 0)
			return r;
	}
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	reader = pipefd[0];
	writer = pipefd[1];
	worker = fork();
	if (worker < 0)
		return insp_err_set(err, -errno, "make a process");
	if (worker == 0) {
		run->report = writer;
		run_worker(run);
	}
	writer = util_close(writer);
	return front(run, reader, worker, ret_status, err);
}

int insp_enter_run(const struct insp_enter_plan *plan, char *const argv[], int *ret_status,
		   struct insp_err *err)
{
	struct run run = { .plan = plan, .argv = argv, .report = -EBADF, .tty = -1 };
	struct sigaction old, dfl = { .sa_handler = SIG_DFL };
	sigset_t mask;
	int r;

	if (!plan->d.fork)
		return run_in_place(&run, ret_status, err);
	/* a caller that ignores SIGCHLD would have the kernel throw the statuses away */
	sigaction(SIGCHLD, &dfl, &old);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	r = run_forked(&run, ret_status, err);
	insp_pty_close(run.pty);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGCHLD, &old, NULL);
	return r;
}
