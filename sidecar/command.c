/* The last steps before the user's command: limits, terminal, user namespace, who it runs as, directory, exec. */
#include "sidecar/internal.h"
#include "sidecar/toolbox-root.h"
#include "sidecar/view-layout.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Not the C library's: that of one thread is enough, and grp.h names what is banned. */
static int no_groups(void)
{
#ifdef SYS_setgroups32
	return (int)syscall(SYS_setgroups32, 0, NULL);
#else
	return (int)syscall(SYS_setgroups, 0, NULL);
#endif
}

/* All capabilities in there come with it; who it is, is set later. */
static int join_user(int userns, struct insp_err *err)
{
	if (setns(userns, CLONE_NEWUSER) < 0)
		return insp_err_set(err, -errno, "join the container's user namespace");
	return 0;
}

/* What was a terminal is our pty now. Root's, it could not be opened again by who the command runs as: /dev/stderr. */
static void own_terminal(const struct sidecar_plan *plan)
{
	for (int fd = 0; fd < 3; fd++)
		if (plan->uid != 0 && isatty(fd) && fchown(fd, plan->uid, (gid_t)-1) < 0)
			return;
}

/* Limits, terminal, user namespace, ids and capabilities. */
static int prepare(const struct sidecar_plan *plan, struct insp_pty *pty,
		   const struct limits *limits, const struct channels *ch, struct insp_err *err)
{
	int r = limits_join(limits, err);

	fault_point("limited");
	if (r < 0)
		return r;
	/* a session of its own in any case: /dev/tty must not be the caller's terminal */
	r = pty ? insp_pty_child(pty, err) : 0;
	if (r < 0)
		return r;
	if (!pty)
		setsid();
	own_terminal(plan);
	/* here, for a user namespace may refuse it (rootless); refused here, too, there are none to lose */
	if (plan->ids.set_uid)
		no_groups();
	r = ch->userns >= 0 ? join_user(ch->userns, err) : 0;
	return r < 0 ? r : insp_enter_creds_apply(&plan->ids, &plan->caps, err);
}

/* By where the kernel says that we are: a directory of the container may be a link to one of the host's by now. */
static bool is_in_target(void)
{
	char buf[PATH_MAX];

	return syscall(SYS_getcwd, buf, sizeof(buf)) > 0 && proc_is_below(buf, "/target");
}

static int try_dir(const struct sidecar_plan *plan, const char *path)
{
	if (chdir(path) < 0)
		return -errno;
	/* in the container's own view there is nothing else to come to */
	if (plan->opts->in_target)
		return 0;
	return proc_is_below(path, "/target") && !is_in_target() ? -EXDEV : 0;
}

/* After the ids: it is the command's user who must be allowed to. */
static int change_dir(const struct sidecar_plan *plan, int messages, struct insp_err *err)
{
	int r = plan->workdir ? try_dir(plan, plan->workdir) : 0;

	if (r == 0)
		return 0;
	if (r == -EXDEV)
		insp_err_say(err, r, "change to directory '%s': it leads out of /target",
			     plan->workdir);
	else
		insp_err_set(err, r, "change to directory '%s'", plan->workdir);
	if (plan->opts->workdir)
		return r;
	/* the container's doing, which shall not keep anybody from looking into it */
	message_warn(messages, err);
	if ((plan->opts->in_target || chdir("/target") < 0) && chdir("/") < 0)
		return insp_err_set(err, -errno, "change to directory '/'");
	return 0;
}

/* What to run: given, or the host's shell, or the toolbox's, which is seen only now. */
static char *const *words(const struct sidecar_plan *plan, char **own_shell)
{
	static char view_sh[] = VIEW_BIN "/sh";

	if (plan->opts->command || !plan->opts->toolbox)
		return plan->argv;
	if (plan->opts->in_target && access(plan->argv[0], X_OK) == 0)
		return plan->argv;
	own_shell[0] = plan->opts->in_target ? view_sh : toolbox_shell(plan->envp);
	return own_shell;
}

static void cannot_run_in_view(const struct sidecar_plan *plan, const char *program, int error,
			       struct insp_err *err)
{
	insp_err_set(err, error, "run '%s'", program);
	if (error == -ENOENT)
		insp_err_hint(err, "it is looked for among the programs of %s%s",
			      plan->opts->toolbox ? "the toolbox" : "the host",
			      plan->opts->exec ? " and of the container" : "");
	else if (error == -EACCES && !plan->opts->exec)
		insp_err_hint(err, "the container's own programs are started with --exec only");
}

static void cannot_run(const struct sidecar_plan *plan, const char *program, int error,
		       struct insp_err *err)
{
	if (plan->opts->in_target) {
		cannot_run_in_view(plan, program, error, err);
		return;
	}
	if (plan->opts->toolbox) {
		toolbox_cannot_run(plan->opts->toolbox, plan->opts->command ? program : NULL, error,
				   err);
		return;
	}
	insp_err_set(err, error, "run '%s'", program);
	if (error == -ENOENT)
		insp_err_hint(err, "it is looked for among the host's programs; the "
				   "container's are below /target");
}

_Noreturn void command_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			    const struct limits *limits, const struct channels *ch,
			    pid_t supervisor)
{
	int keep[] = { ch->messages };
	struct insp_err err = { 0 };
	char *own_shell[2] = { NULL, NULL }, *const * argv;
	int code;

	if (prepare(plan, pty, limits, ch, &err) < 0 || change_dir(plan, ch->messages, &err) < 0)
		message_die(ch->messages, INSP_EXIT_OWN_FAILURE, &err);
	proc_close_others(keep, 1);
	proc_default_signals();
	/* last: a change of credentials takes it back */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != supervisor)
		_exit(INSP_EXIT_OWN_FAILURE);
	fault_point("exec");
	environ = plan->envp;
	argv = words(plan, own_shell);
	execvp(argv[0], argv);
	code = errno == ENOENT ? INSP_EXIT_NOT_FOUND : INSP_EXIT_NOT_EXECUTABLE;
	cannot_run(plan, argv[0], -errno, &err);
	message_die(ch->messages, code, &err);
}
