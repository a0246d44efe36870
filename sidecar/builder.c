/* The process that puts the sidecar together and starts the supervisor inside. */
#include "sidecar/session-internal.h"
#include "sidecar/mounts.h"
#include "libinspect/sysc.h"
#include "sidecar/rerun.h"
#include "sidecar/stopped.h"
#include "sidecar/who.h"
#include "sidecar/toolbox-root.h"
#include "sidecar/view.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static _Noreturn void fail(const struct sidecar_plan *plan, const struct channels *ch,
			   struct insp_err *err)
{
	/* whatever the call said then (fork: "Cannot allocate memory") */
	if (plan->target && !insp_pid_alive(plan->target)) {
		insp_err_say(err, -ESRCH, "the container's first process %d has ended",
			     (int)insp_pid_number(plan->target));
		insp_err_hint(err, "'cps -a' shows what became of it");
	}
	message_die(ch->messages, INSP_EXIT_OWN_FAILURE, err);
}

/* Nothing of the caller's is left in this process when it looks into the container. */
static int isolate(const struct sidecar_plan *plan, struct insp_pty *pty,
		   const struct limits *limits, const struct channels *ch, pid_t front)
{
	int keep[2 * LIMITS_MAX + 8], n = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != front)
		return -ESRCH;
	prctl(PR_SET_DUMPABLE, 0);
	/* ^C at the terminal is the front's to pass on; setsid() would put this at the end of the run queue */
	setpgid(0, 0);
	if (proc_drop_terminals() < 0)
		return -errno;
	for (int i = 0; i < LIMITS_MAX; i++) {
		keep[n++] = limits->parent[i];
		keep[n++] = limits->procs[i];
	}
	keep[n++] = limits->hold;
	keep[n++] = ch->alive;
	keep[n++] = ch->messages;
	keep[n++] = ch->keep;
	keep[n++] = plan->target ? insp_pid_fd(plan->target) : -1;
	keep[n++] = plan->target ? insp_pid_procfd(plan->target) : -1;
	keep[n++] = pty ? insp_pty_detach(pty) : -1;
	proc_close_others(keep, (size_t)n);
	return 0;
}

/* The tree of a target that runs, as its processes see it. */
static int take_tree(const struct sidecar_plan *plan, struct mounts *m, struct nameconf *names,
		     struct insp_err *err)
{
	int r = insp_enter_clone_tree(plan->target, &m->tree, err);

	if (r == -ENOSYS)
		insp_err_hint(err, MOUNTS_NEED);
	if (r < 0)
		return r;
	r = mounts_restrict_target(plan, m, err);
	/* in the target view they are where they belong */
	if (r < 0 || plan->opts->in_target)
		return r;
	r = nameconf_start(plan, m->tree, names);
	return r < 0 ? insp_err_set(err, r, "read the container's name service files") : 0;
}

static int make_root(const struct sidecar_plan *plan, struct mounts *m, struct channels *ch,
		     struct insp_err *err)
{
	struct nameconf names = { .fd = -1 };
	_cleanup_close_ int own = -1;
	int r = plan->opts->stopped ? 0 : take_tree(plan, m, &names, err);

	if (r < 0)
		return r;
	fault_point("tree");
	m->keep = ch->keep;
	if (plan->opts->in_target)
		return view_make_root(plan, m, ch->messages, err);
	r = mounts_make_root(plan, m, err);
	if (r < 0)
		return r;
	fault_point("root");
	own = openat(m->root, SIDECAR_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	nameconf_finish(&names, own, ch->messages);
	if (plan->opts->toolbox && !(plan->join & (1U << INSP_NS_NET)))
		toolbox_host_names(own);
	r = plan->rerun ? rerun_put(plan, m->tree, own, err) : 0;
	/* this process's copy, and that of those that it starts */
	if (r == 0 && plan->start)
		r = who_decide_by_files((struct sidecar_plan *)(uintptr_t)plan, m->tree, err);
	r = r ?: mounts_seal_root(plan, m, err);
	if (r == 0 && plan->opts->stopped)
		r = stopped_volumes(plan, m, ch->messages, err);
	return r;
}

static int attach_sysfs(struct mounts *m, struct insp_err *err)
{
	int r = mounts_sysfs(m);

	/* a kernel, or a container around us, that does not let us: the host's, better than none */
	if (r < 0)
		r = mounts_attach_host(m, "sys");
	return r < 0 ? insp_err_set(err, r, "mount /sys") : 0;
}

static int join(const struct sidecar_plan *plan, struct channels *ch, struct insp_err *err)
{
	int r;

	if (plan->opts->stopped)
		return stopped_namespaces(plan, err);
	if (plan->join_user) {
		r = insp_enter_open_ns(plan->target, INSP_NS_USER, &ch->userns, err);
		if (r < 0)
			return r;
	}
	return insp_enter_join(plan->target, plan->join, err);
}

static int enter(const struct sidecar_plan *plan, struct mounts *m, struct channels *ch,
		 struct insp_err *err)
{
	int r = join(plan, ch, err);

	if (r < 0)
		return r;
	fault_point("joined");
	if ((plan->join & (1U << INSP_NS_NET)) && !m->has_sys) {
		r = attach_sysfs(m, err);
		if (r < 0)
			return r;
	}
	r = mounts_pivot(plan, m, err);
	if (r < 0)
		return r;
	fault_point("pivoted");
	r = mounts_home(plan, err);
	if (r < 0)
		return r;
	if (!plan->opts->in_target && (plan->opts->toolbox || (plan->join & (1U << INSP_NS_NET))))
		nameconf_mount(ch->messages);
	return 0;
}

static void mounts_close(struct mounts *m)
{
	tool_closep(&m->tree);
	tool_closep(&m->root);
	tool_closep(&m->host);
	tool_closep(&m->self);
	m->sys = m->sys ? insp_sys_close(m->sys) : NULL;
}

/* fork(), but the child is the front's: it is there that somebody waits. */
static pid_t fork_sibling(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

_Noreturn void builder_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			    struct limits *limits, struct channels *ch, pid_t front)
{
	struct message ready = { .kind = MESSAGE_READY };
	struct mounts m = MOUNTS_NONE;
	struct insp_err err = { 0 };
	char mark[SESSION_MARK_MAX];
	struct stat st;
	int r = isolate(plan, pty, limits, ch, front);

	if (r < 0)
		_exit(INSP_EXIT_OWN_FAILURE);
	fault_point("builder");
	if (plan->opts->session) {
		session_mark(plan->opts->session, mark);
		mounts_name_memory(mark);
	}
	if (make_root(plan, &m, ch, &err) < 0)
		fail(plan, ch, &err);
	if (stat("/proc/self/ns/mnt", &st) == 0)
		ready.mntns = st.st_ino;
	if (enter(plan, &m, ch, &err) < 0)
		fail(plan, ch, &err);
	fault_point("entered");
	mounts_close(&m);
	ready.supervisor = fork_sibling();
	if (ready.supervisor == 0)
		supervisor_main(plan, pty, limits, ch);
	if (ready.supervisor < 0) {
		insp_err_set(&err, -errno, "start a process in the container's namespaces");
		fail(plan, ch, &err);
	}
	fault_point("forked");
	message_send(ch->messages, &ready);
	_exit(0);
}
