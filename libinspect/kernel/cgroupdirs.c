/* The cgroup directories of a process, for a tool that makes a cgroup beside them. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"

void insp_cgroups_clear(struct insp_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->n; i++) {
		free(cgroups->items[i].controllers);
		util_close(cgroups->items[i].dirfd);
	}
	free(cgroups->items);
	*cgroups = (struct insp_cgroups){ 0 };
}

static int add_line(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
		    const struct cgroup_line *line, struct insp_cgroups *all)
{
	struct insp_cgroup *c = &all->items[all->n];
	int fd = cgroup_open(sys, mounts, line);

	/* a hierarchy that is not mounted, or only a part of it that we are not in */
	if (fd < 0)
		return fd == -ENOMEM ? fd : 0;
	c->controllers = str_dup(line->controllers);
	c->v2 = line->hierarchy == 0;
	c->dirfd = fd;
	all->n++;
	return c->controllers ? 0 : -ENOMEM;
}

int insp_cgroups_open(struct insp_sys *sys, pid_t pid, struct insp_cgroups *ret,
		      struct insp_err *err)
{
	_cleanup_(insp_cgroups_clear) struct insp_cgroups all = { 0 };
	_cleanup_(cgroup_mounts_free) struct cgroup_mounts mounts = { 0 };
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	int r = sys->live ? cgroup_read(sys->procfd, pid, &lines) : -ENOTSUP;

	if (r < 0)
		return insp_err_set(err, r, "process %d: read its cgroups", (int)pid);
	r = cgroup_mounts_read(sys, &mounts, err);
	if (r < 0)
		return r;
	all.items = calloc(lines.n + 1, sizeof(*all.items));
	if (!all.items)
		return insp_err_set(err, -ENOMEM, "read the cgroups");
	for (size_t i = 0; i < lines.n && r >= 0; i++)
		r = add_line(sys, &mounts, &lines.items[i], &all);
	if (r < 0)
		return insp_err_set(err, r, "open the cgroups");
	*ret = all;
	all = (struct insp_cgroups){ 0 };
	return 0;
}
