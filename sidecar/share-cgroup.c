/*
 * --share-cgroup: the command counts against the target's limits. It joins the cgroup of the target's first process in
 * every hierarchy, as the engine's own exec does; nothing is made there, and nothing of it is changed.
 */
#include "sidecar/internal.h"

#include <fcntl.h>

void share_cgroup_warn(struct sidecar_plan *plan)
{
	struct insp_err w = { 0 };

	if (!plan->opts->share_cgroup)
		return;
	insp_err_say(&w, 0,
		     "the session counts against the container's limits: where memory or "
		     "processes run out, its own may be the ones that go");
	insp_err_hint(&w, "without --share-cgroup it is outside of them");
	insp_diags_add(&plan->warnings, &w);
}

static int add(struct limits *l, const struct insp_cgroup *c)
{
	if (l->n == LIMITS_MAX)
		return -E2BIG;
	l->procs[l->n] = openat(c->dirfd, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return l->procs[l->n] < 0 ? -errno : (int)l->n++;
}

int share_cgroup(struct insp_sys *sys, const struct insp_pid *target, struct limits *ret,
		 struct insp_err *err)
{
	_cleanup_(insp_cgroups_clear) struct insp_cgroups all = { 0 };
	_cleanup_(limits_close) struct limits l = LIMITS_NONE;
	int r = insp_cgroups_open(sys, insp_pid_number(target), &all, err);

	if (r < 0)
		return r;
	/* for messages: there is nothing to be made under a name */
	snprintf(l.name, sizeof(l.name), "of the container");
	for (size_t i = 0; i < all.n && r >= 0; i++)
		r = add(&l, &all.items[i]);
	/* else it may be where another process is that has the number now */
	if (!insp_pid_alive(target))
		return insp_err_say(err, -ESRCH, "the container's first process %d has ended",
				    (int)insp_pid_number(target));
	if (r < 0)
		return insp_err_set(err, r, "open the cgroup of process %d",
				    (int)insp_pid_number(target));
	if (!l.n)
		return insp_err_say(err, -ENOENT, "process %d is in no cgroup that is mounted here",
				    (int)insp_pid_number(target));
	*ret = l;
	l = (struct limits)LIMITS_NONE;
	return 0;
}
