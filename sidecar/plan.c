/* Looking at the target and deciding everything, while nothing has changed yet. */
#include "sidecar/internal.h"
#include "sidecar/environ.h"
#include "sidecar/toolbox-root.h"
#include "sidecar/rerun.h"
#include "sidecar/who.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/capability.h>
#include <sys/stat.h>

/* 65536 supplementary groups, which the target may set, stand before what is looked for */
#define STATUS_MAX (1024 * 1024)
#define CAP_BIT(c) (UINT64_C(1) << (c))

struct sidecar_plan *sidecar_plan_free(struct sidecar_plan *plan)
{
	if (!plan)
		return NULL;
	rerun_free(plan->rerun);
	insp_start_free(plan->start);
	free(plan->name);
	free(plan->home);
	free(plan->workdir);
	insp_user_clear(&plan->user);
	environ_free(plan->argv);
	environ_free(plan->envp);
	insp_diags_clear(&plan->warnings);
	free(plan);
	return NULL;
}

static void plan_freep(struct sidecar_plan **plan)
{
	sidecar_plan_free(*plan);
}

const struct insp_diags *sidecar_plan_warnings(const struct sidecar_plan *plan)
{
	return &plan->warnings;
}

int plan_ns_shared(const struct insp_pid *target, enum insp_ns_type type)
{
	char ours_path[48], path[32];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "ns/%s", insp_ns_name(type));
	snprintf(ours_path, sizeof(ours_path), "/proc/self/%s", path);
	if (stat(ours_path, &ours) < 0 || fstatat(insp_pid_procfd(target), path, &theirs, 0) < 0)
		return -errno;
	return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static int choose_namespaces(struct sidecar_plan *plan, struct insp_err *err)
{
	for (int t = 0; t < INSP_NS_MAX; t++) {
		int shared;

		if (!(plan->opts->namespaces & (1U << t)))
			continue;
		shared = plan_ns_shared(plan->target, t);
		/* compat: a kernel without this type */
		if (shared == -ENOENT && insp_pid_alive(plan->target))
			continue;
		if (shared < 0) {
			insp_err_set(err, shared, "process %d: look at its namespaces",
				     (int)insp_pid_number(plan->target));
			insp_err_hint(err, shared == -EACCES || shared == -EPERM
						   ? "this needs root"
						   : "it ended meanwhile");
			return shared;
		}
		if (!shared && t == INSP_NS_USER)
			plan->join_user = true;
		else if (!shared)
			plan->join |= 1U << t;
	}
	return 0;
}

static int read_proc(const struct insp_pid *target, const char *file, char *buf, size_t size)
{
	ssize_t n = files_read(insp_pid_procfd(target), file, buf, size);

	if (n < 0)
		return (int)n;
	return (size_t)n == size - 1 ? -EFBIG : 0;
}

/* The value of a line of /proc/PID/status; "" when there is none. */
static const char *status_field(const char *status, const char *name)
{
	const char *p = strstr(status, name);

	return p ? p + strlen(name) : "";
}

/* "NSpid:\t4711\t1": the last is the one in its own namespace. */
static pid_t inner_pid(const char *status)
{
	const char *p = status_field(status, "\nNSpid:");
	pid_t pid = 0;

	while (*p && *p != '\n') {
		char *end;
		long n = strtol(p, &end, 10);

		if (end == p)
			break;
		pid = (pid_t)n;
		p = end;
	}
	return pid;
}

static uint64_t status_caps(const char *status, const char *name)
{
	return strtoull(status_field(status, name), NULL, 16);
}

/*
 * A process of the target may trace one of ours when it has CAP_SYS_PTRACE over our user namespace, or at least all
 * capabilities that ours has (cap_ptrace_access_check() of security/commoncap.c); then it is the session. In a user
 * namespace that we join, too: what the session sees of the host's files is then readable for it.
 */
static void warn_trace(struct sidecar_plan *plan, const char *status)
{
	uint64_t theirs = status_caps(status, "\nCapPrm:") | status_caps(status, "\nCapEff:");
	uint64_t possible = theirs | status_caps(status, "\nCapBnd:");
	uint64_t own = who_caps(plan);
	struct insp_err w = { 0 };

	if (!(plan->join & (1U << INSP_NS_PID)) ||
	    (!plan->join_user && plan_ns_shared(plan->target, INSP_NS_USER) != 1))
		return;
	if (possible & CAP_BIT(CAP_SYS_PTRACE))
		insp_err_say(&w, -EPERM,
			     "the container may trace processes (CAP_SYS_PTRACE): its "
			     "root can take this session over");
	else if ((own & ~theirs) == 0)
		insp_err_say(&w, -EPERM,
			     "with no more capabilities than the container has, its root can "
			     "trace this session");
	else
		return;
	insp_err_hint(
		&w, "if you do not trust it, '--ns %snet,ipc,uts' keeps the session out of its %s",
		plan->join_user ? "pid," : "", plan->join_user ? "reach" : "sight");
	insp_diags_add(&plan->warnings, &w);
}

static int look_at_target(struct sidecar_plan *plan, struct insp_err *err)
{
	_cleanup_free_ char *status = malloc(STATUS_MAX);
	int r = status ? read_proc(plan->target, "status", status, STATUS_MAX) : -ENOMEM;

	if (r < 0) {
		insp_err_set(err, r, "process %d: read its status",
			     (int)insp_pid_number(plan->target));
		insp_err_hint(err, "it ended meanwhile");
		return r;
	}
	plan->inner_pid = plan->join & (1U << INSP_NS_PID) ? inner_pid(status)
							   : insp_pid_number(plan->target);
	r = who_decide(plan, err);
	if (r == 0)
		warn_trace(plan, status);
	return r;
}

/* Else a script that means what runs would take this for it. */
static void warn_stopped(struct sidecar_plan *plan)
{
	const struct sidecar_opts *o = plan->opts;
	const struct insp_container *c = o->stopped;
	const char *where = o->in_target ? "/" : "/target";
	struct insp_err w = { 0 };

	if (c->is_image)
		insp_err_say(&w, 0, "%s image '%s': its files are at %s", c->engine, c->name,
			     where);
	else
		insp_err_say(&w, 0, "%s container '%s' is not running (%s): its files are at %s",
			     c->engine, c->name, insp_state_name(c->state), where);
	if (o->write)
		insp_err_hint(&w, "what is changed there is changed in the container");
	else if (o->keep)
		insp_err_hint(&w, "what is changed there is kept in %s", o->keep);
	else
		insp_err_hint(&w, "what is changed there is lost with the session; "
				  "--keep-changes DIR keeps it");
	insp_diags_add(&plan->warnings, &w);
}

static int plan_fill(struct sidecar_plan *plan, struct insp_err *err)
{
	int r;

	if (plan->opts->stopped) {
		plan->join = plan->opts->namespaces & ~(1U << INSP_NS_USER);
		r = who_decide(plan, err);
		warn_stopped(plan);
	} else {
		r = choose_namespaces(plan, err) ?: look_at_target(plan, err);
		share_cgroup_warn(plan);
	}
	if (r < 0)
		return r;
	plan->name = files_prompt_word(plan->opts->name, 40);
	plan->home =
		plan->opts->toolbox && !plan->opts->in_target ? toolbox_home(plan) : who_home(plan);
	if (!plan->name || !plan->home)
		return insp_err_set(err, -ENOMEM, "plan");
	r = environ_make(plan, err);
	return r < 0 || !plan->opts->rerun.wanted ? r : rerun_plan(plan, err);
}

int sidecar_plan_make(struct insp_sys *sys, const struct insp_pid *target,
		      const struct sidecar_opts *opts, struct sidecar_plan **ret_plan,
		      struct insp_err *err)
{
	_cleanup_(plan_freep) struct sidecar_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return insp_err_set(err, -ENOMEM, "plan");
	if (geteuid() != 0) {
		insp_err_say(err, -EPERM, "entering a container needs root");
		insp_err_hint(err, "sudo cdebug …");
		return -EPERM;
	}
	plan->sys = sys;
	plan->target = target;
	plan->opts = opts;
	r = plan_fill(plan, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(plan);
	return 0;
}
