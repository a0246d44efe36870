/* The last steps before the user's command: limits, terminal, user namespace, capabilities, exec. */
#include "sidecar/internal.h"

#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
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

/* Becomes user 0 of the joined user namespace; whoever is outside it is nobody there. */
static int join_user(int userns, struct insp_err *err)
{
	if (setns(userns, CLONE_NEWUSER) < 0)
		return insp_err_set(err, -errno, "join the container's user namespace");
	/* refused in a namespace whose maker may not change groups (rootless); then there are none to lose */
	no_groups();
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		insp_err_set(err, -errno, "become user 0 of the container's user namespace");
		insp_err_hint(err, "'--ns pid,net,ipc,uts' stays out of it");
		return err->code;
	}
	return 0;
}

static int drop_sets(uint64_t drop)
{
	cap_t caps = cap_get_proc();
	int r = caps ? 0 : -errno;

	for (cap_value_t c = 0; r == 0 && c <= cap_max_bits() - 1; c++) {
		static const cap_flag_t sets[] = { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE };

		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sets); i++)
			if (drop & (UINT64_C(1) << c))
				r = cap_set_flag(caps, sets[i], 1, &c, CAP_CLEAR) < 0 ? -errno : 0;
	}
	if (r == 0 && cap_set_proc(caps) < 0)
		r = -errno;
	if (caps)
		cap_free(caps);
	return r;
}

/* From the bounding set first, or exec as user 0 would bring them back. */
static int drop_capabilities(uint64_t drop, struct insp_err *err)
{
	int r;

	if (!drop)
		return 0;
	for (int c = 0; c < 64; c++)
		if ((drop & (UINT64_C(1) << c)) && prctl(PR_CAPBSET_READ, c) == 1 &&
		    prctl(PR_CAPBSET_DROP, c) < 0)
			return insp_err_set(err, -errno, "drop capability %d", c);
	r = drop_sets(drop);
	return r < 0 ? insp_err_set(err, r, "drop capabilities") : 0;
}

static int prepare(const struct sidecar_plan *plan, struct insp_pty *pty,
		   const struct limits *limits, const struct channels *ch, struct insp_err *err)
{
	int r = limits_join(limits, err);

	if (r < 0)
		return r;
	/* a session of its own in any case: /dev/tty must not be the caller's terminal */
	r = pty ? insp_pty_child(pty, err) : 0;
	if (r < 0)
		return r;
	if (!pty)
		setsid();
	r = ch->userns >= 0 ? join_user(ch->userns, err) : 0;
	if (r < 0)
		return r;
	return drop_capabilities(plan->opts->cap_drop, err);
}

_Noreturn void command_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			    const struct limits *limits, const struct channels *ch,
			    pid_t supervisor)
{
	int keep[] = { ch->messages };
	struct insp_err err = { 0 };
	int code;

	if (prepare(plan, pty, limits, ch, &err) < 0)
		message_die(ch->messages, INSP_EXIT_OWN_FAILURE, &err);
	proc_close_others(keep, 1);
	proc_default_signals();
	/* last: a change of credentials takes it back */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != supervisor)
		_exit(INSP_EXIT_OWN_FAILURE);
	environ = plan->envp;
	execvp(plan->argv[0], plan->argv);
	code = errno == ENOENT ? INSP_EXIT_NOT_FOUND : INSP_EXIT_NOT_EXECUTABLE;
	insp_err_set(&err, -errno, "run '%s'", plan->argv[0]);
	if (code == INSP_EXIT_NOT_FOUND)
		insp_err_hint(&err, "it is looked for among the host's programs; the "
				    "container's are below /target");
	message_die(ch->messages, code, &err);
}
