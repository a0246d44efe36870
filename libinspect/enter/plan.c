/* Making a plan: looking at the target, and opening what is needed on the way in. */
#include "libinspect/enter/plan.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/kernel/idmap.h"

#include <sys/stat.h>

#define CONTEXT_MAX 4096

static bool is_denied(const struct insp_pid *target)
{
	char buf[16];

	return io_read_small(insp_pid_procfd(target), "setgroups", buf, sizeof(buf)) > 0 &&
	       str_starts(buf, "deny");
}

/* The ids as they are called in there. status gives them as our user namespace sees them. */
static int map_ids(const struct insp_pid *target, struct enter_facts *f)
{
	struct idmap uids, gids;
	int r = idmap_read(insp_pid_procfd(target), "uid_map", &uids);

	if (r == 0)
		r = idmap_read(insp_pid_procfd(target), "gid_map", &gids);
	if (r < 0)
		return r;
	f->root_mapped = idmap_to_outside(&uids, 0) != (uint32_t)-1 &&
			 idmap_to_outside(&gids, 0) != (uint32_t)-1;
	f->uid = idmap_to_inside(&uids, f->status.euid);
	f->gid = idmap_to_inside(&gids, f->status.egid);
	for (size_t i = 0; i < f->status.n_groups; i++) {
		gid_t gid = idmap_to_inside(&gids, f->status.groups[i]);

		if (gid != (gid_t)-1)
			f->groups[f->n_groups++] = gid;
	}
	return 0;
}

int enter_facts_read(const struct insp_pid *target, unsigned namespaces, struct enter_facts *f,
		     struct insp_err *err)
{
	int r = enter_ns_to_join(target, namespaces, &f->differs, err);

	if (r < 0)
		return r;
	r = pid_read_status(target, &f->status, err);
	if (r < 0)
		return r;
	f->uid = f->status.euid;
	f->gid = f->status.egid;
	f->n_groups = f->status.n_groups;
	memcpy(f->groups, f->status.groups, f->n_groups * sizeof(f->groups[0]));
	f->setgroups_denied = is_denied(target);
	f->user_differs = enter_ns_shared(target, INSP_NS_USER) == 0;
	/* these are told for every process, but only mean other numbers inside another user namespace */
	if (!(f->differs & (1U << INSP_NS_USER)))
		return 0;
	f->n_groups = 0;
	r = map_ids(target, f);
	return r < 0 ? insp_err_set(err, r, "process %d: read its id maps",
				    (int)insp_pid_number(target))
		     : 0;
}

static int open_dir(const char *path, int *ret_fd, struct insp_err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return insp_err_set(err, -errno, "open directory '%s'", path);
	*ret_fd = fd;
	return 0;
}

static int open_root(struct insp_enter_plan *plan, const struct insp_enter_opts *opts,
		     struct insp_err *err)
{
	if (!plan->d.chroot)
		return 0;
	if (opts->root)
		return open_dir(opts->root, &plan->rootfd, err);
	return insp_pid_open_root(plan->target, &plan->rootfd, err);
}

static int open_cwd(struct insp_enter_plan *plan, const struct insp_enter_opts *opts,
		    struct insp_err *err)
{
	const char *inside = opts->workdir_inside ? opts->workdir_inside : opts->workdir;

	switch (plan->d.cwd) {
	case ENTER_CWD_INSIDE:
		plan->cwd_inside = str_dup(inside);
		return plan->cwd_inside ? 0 : insp_err_set(err, -ENOMEM, "make a plan");
	case ENTER_CWD_HOST: return open_dir(opts->workdir, &plan->cwdfd, err);
	case ENTER_CWD_TARGET:
		plan->cwdfd = openat(insp_pid_procfd(plan->target), "cwd",
				     O_PATH | O_DIRECTORY | O_CLOEXEC);
		return plan->cwdfd < 0 ? insp_err_set(err, -errno, "%s: open its working directory",
						      plan->who)
				       : 0;
	case ENTER_CWD_KEEP:
	case ENTER_CWD_ROOT: break;
	}
	return 0;
}

/* A host without SELinux (or with another LSM) has no context to follow, and must say so. */
static int read_context(struct insp_enter_plan *plan, struct insp_err *err)
{
	char buf[CONTEXT_MAX];
	ssize_t n;

	if (access("/sys/fs/selinux/enforce", F_OK) < 0) {
		insp_err_say(err, -EOPNOTSUPP,
			     "follow the SELinux context: no SELinux on this host");
		return -EOPNOTSUPP;
	}
	n = io_read_small(insp_pid_procfd(plan->target), "attr/current", buf, sizeof(buf));
	if (n < 0)
		return insp_err_set(err, (int)n, "%s: read its SELinux context", plan->who);
	plan->context = str_dup(buf);
	return plan->context ? 0 : insp_err_set(err, -ENOMEM, "make a plan");
}

static void read_files(struct insp_enter_plan *plan)
{
	_cleanup_close_ int rootfd = -EBADF;
	struct insp_err err = { 0 };

	if (!plan->d.net_view)
		return;
	if (insp_pid_open_root(plan->target, &rootfd, &err) < 0)
		insp_diags_add(&plan->warnings, &err);
	else
		enter_files_read(plan, rootfd);
}

static char *who_is(const struct insp_pid *target, const struct insp_container *c)
{
	int pid = (int)insp_pid_number(target);

	return c ? str_format("container %s (pid %d)", c->name, pid)
		 : str_format("process %d", pid);
}

/* Its PATH may lead to /proc/PID/root/bin, its LD_PRELOAD to a file there. */
static int refuse_env(const struct insp_enter_plan *plan, struct insp_err *err)
{
	insp_err_say(err, -EINVAL, "%s: its environment could make the host's programs run its own",
		     plan->who);
	insp_err_hint(err, "with -m they are its own; single variables can be given with --env");
	return -EINVAL;
}

static int plan_fill(struct insp_enter_plan *plan, struct insp_sys *sys,
		     const struct insp_enter_opts *opts, struct insp_err *err)
{
	struct enter_facts facts = { 0 };
	int r = enter_facts_read(plan->target, opts->namespaces, &facts, err);

	if (r < 0)
		return r;
	enter_decide(&facts, opts, &plan->d);
	if ((plan->d.ids.set_uid && plan->d.ids.uid == (uid_t)-1) ||
	    (plan->d.ids.set_gid && plan->d.ids.gid == (gid_t)-1))
		return insp_err_say(err, -EINVAL,
				    "%s: its user has no number in its own user namespace",
				    plan->who);
	if (opts->target_env && !plan->d.inside)
		return refuse_env(plan, err);
	r = open_root(plan, opts, err);
	if (r == 0)
		r = open_cwd(plan, opts, err);
	if (r == 0 && opts->follow_context)
		r = read_context(plan, err);
	if (r < 0)
		return r;
	read_files(plan);
	return enter_env_make(plan, sys, opts, err);
}

static void plan_freep(struct insp_enter_plan **plan)
{
	insp_enter_plan_free(*plan);
}

/* Whether the container's own files or processes are meant, and not only its network. */
static bool wants_inside(const struct insp_enter_opts *opts)
{
	return (opts->namespaces & (1U << INSP_NS_MNT | 1U << INSP_NS_PID)) ||
	       (opts->root_set && !opts->root);
}

/* chroot(2) alone: a container in the caller's own mount namespace, with another root directory. */
static bool is_chrooted(const struct insp_pid *target)
{
	const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
	struct statx theirs, ours;

	return enter_ns_shared(target, INSP_NS_MNT) == 1 &&
	       statx(insp_pid_procfd(target), "root", flags, STATX_INO, &theirs) == 0 &&
	       statx(AT_FDCWD, "/", flags, STATX_INO, &ours) == 0 &&
	       (theirs.stx_ino != ours.stx_ino || theirs.stx_dev_major != ours.stx_dev_major ||
		theirs.stx_dev_minor != ours.stx_dev_minor);
}

int insp_enter_plan_make(struct insp_sys *sys, const struct insp_pid *target,
			 const struct insp_container *c, const struct insp_enter_opts *opts,
			 struct insp_enter_plan **ret_plan, struct insp_err *err)
{
	_cleanup_(plan_freep) struct insp_enter_plan *plan = calloc(1, sizeof(*plan));
	struct insp_enter_opts own = *opts;
	int r;

	if (!plan)
		return insp_err_set(err, -ENOMEM, "make a plan");
	plan->target = target;
	plan->rootfd = plan->cwdfd = -EBADF;
	plan->who = who_is(target, c);
	if (!plan->who)
		return insp_err_set(err, -ENOMEM, "make a plan");
	if (c && wants_inside(opts)) {
		r = insp_container_on_host(c, err);
		if (r < 0)
			return r;
	}
	/* its files are meant, as with a mount namespace of its own */
	if (c && (own.namespaces & (1U << INSP_NS_MNT)) && is_chrooted(target))
		own.root_set = true;
	r = plan_fill(plan, sys, &own, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(plan);
	return 0;
}

struct insp_enter_plan *insp_enter_plan_free(struct insp_enter_plan *plan)
{
	if (!plan)
		return NULL;
	util_close(plan->rootfd);
	util_close(plan->cwdfd);
	for (size_t i = 0; i < ENTER_FILES; i++)
		free(plan->files[i].data);
	for (char **e = plan->env; e && *e; e++)
		free(*e);
	free(plan->env);
	free(plan->who);
	free(plan->cwd_inside);
	free(plan->context);
	insp_diags_clear(&plan->warnings);
	free(plan);
	return NULL;
}

const struct insp_diags *insp_enter_plan_warnings(const struct insp_enter_plan *plan)
{
	return &plan->warnings;
}

bool insp_enter_plan_is_inside(const struct insp_enter_plan *plan)
{
	return plan->d.inside;
}
