/*
 * A process -> the container that it is in.
 *
 * Its cgroup path names the container in most cases; the id found there is looked up in the stores. The path alone proves
 * nothing (a container that may write its cgroups can make one that is called like another container): the container
 * counts only when the process is in its cgroup or below. What has no cgroup of its own (rootless, bare) is found by
 * the inode of its mount or pid namespace, a chroot by its root directory.
 */
#include "libinspect/engines/engine.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/resolve/served.h"

#define ID_LEN 64

static bool in_cgroup(const struct insp_container *c, const struct cgroup_lines *lines)
{
	if (!c->cgroup || strcmp(c->cgroup, "/") == 0)
		return false;
	for (size_t i = 0; i < lines->n; i++)
		if (str_path_is_below(lines->items[i].path, c->cgroup))
			return true;
	return false;
}

/* The last id in the first end bytes of path; returns where it starts, or -1. */
static ssize_t last_id(const char *path, size_t end, char *id)
{
	for (ssize_t i = (ssize_t)end - ID_LEN; i >= 0; i--) {
		memcpy(id, path + i, ID_LEN);
		id[ID_LEN] = '\0';
		if (str_is_hex(id, ID_LEN))
			return i;
	}
	return -1;
}

/* The live container with this id whose cgroup the process is in. 1 found, 0 not. */
static int ask_stores(struct insp_sys *sys, const char *id, const struct cgroup_lines *lines,
		      unsigned want, bool walk, struct insp_container **ret)
{
	_cleanup_scan_ struct engine_scan scan = {
		.sys = sys,
		.may_walk = walk,
		.programs_only = true,
		.want = (want | INSP_WANT_CGROUP) & ~(unsigned)(INSP_WANT_BARE | INSP_WANT_STOPPED),
		.match = { .ref = id, .by_id_only = true },
	};
	int r = engine_scan_run(&scan, NULL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < scan.found.n; i++)
		if (in_cgroup(scan.found.items[i], lines)) {
			*ret = TAKE_PTR(scan.found.items[i]);
			scan.found.items[i] = scan.found.items[--scan.found.n];
			return 1;
		}
	return 0;
}

/* What a runtime knows may be an engine's whose store only its daemon or monitor tells. */
static int ask_for_id(struct insp_sys *sys, const char *id, const struct cgroup_lines *lines,
		      unsigned want, struct insp_container **ret)
{
	struct insp_container *c = NULL, *above = NULL;
	int r = ask_stores(sys, id, lines, want, false, &c);
	const struct engine *engine = r > 0 ? engine_by_name(c->engine, strlen(c->engine)) : NULL;

	if (engine && engine->below)
		r = ask_stores(sys, id, lines, want, true, &above);
	if (above) {
		insp_container_free(c);
		c = above;
	}
	if (r < 0) {
		insp_container_free(c);
		return r;
	}
	*ret = c;
	return c != NULL;
}

/* From the innermost id outwards: an engine inside a container makes cgroups below the container's. */
static int by_cgroup(struct insp_sys *sys, const struct insp_pid *pid, unsigned want,
		     struct insp_container **ret)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	const struct cgroup_line *best;
	char id[ID_LEN + 1];
	ssize_t at;
	int r = cgroup_read(sys->procfd, pid->pid, &lines);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	best = cgroup_best(&lines);
	if (!best)
		return 0;
	for (at = (ssize_t)strlen(best->path); (at = last_id(best->path, (size_t)at, id)) >= 0;) {
		r = ask_for_id(sys, id, &lines, want, ret);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Which of the running containers has this namespace for its own; the index, or -1. */
static ssize_t find_namespace(const struct insp_list *list, const struct insp_ns_set *host,
			      const struct insp_ns_set *ns, enum insp_ns_type type)
{
	if (ns->ino[type] == 0 || ns->ino[type] == host->ino[type])
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->ns.ino[type] == ns->ino[type])
			return (ssize_t)i;
	return -1;
}

/* The running container on the host's mounts whose root directory is the process's (chroot(2)); the index, or -1. */
static ssize_t find_root(const struct insp_sys *sys, const struct insp_list *list, pid_t pid)
{
	struct pid_root root, other;

	if (pid_root(sys->procfd, pid, &root) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->pid > 0 &&
		    list->items[i]->ns.ino[INSP_NS_MNT] == sys->self_ns.ino[INSP_NS_MNT] &&
		    pid_root(sys->procfd, list->items[i]->pid, &other) == 0 &&
		    pid_root_same(&root, &other))
			return (ssize_t)i;
	return -1;
}

/* Whether the process is in the host's namespaces and in its root directory: in no container. */
static bool is_hosts(const struct insp_sys *sys, const struct insp_ns_set *ns, pid_t pid)
{
	struct pid_root host, root;

	return ns->ino[INSP_NS_MNT] == sys->self_ns.ino[INSP_NS_MNT] &&
	       ns->ino[INSP_NS_PID] == sys->self_ns.ino[INSP_NS_PID] &&
	       (pid_root(sys->rootfd, 0, &host) < 0 || pid_root(sys->procfd, pid, &root) < 0 ||
		pid_root_same(&host, &root));
}

/* A pid namespace may be shared by several containers: it only speaks when the mount namespace does not. */
static int by_namespace(struct insp_sys *sys, const struct insp_pid *pid, unsigned want,
			struct insp_container **ret, struct insp_err *err)
{
	struct insp_list list = { 0 };
	struct insp_ns_set ns;
	ssize_t at;
	int r = insp_pid_namespaces(pid, &ns, err);

	if (r < 0)
		return r;
	if (is_hosts(sys, &ns, pid->pid))
		return 0;
	r = insp_list(sys, (want | INSP_WANT_NS | INSP_WANT_BARE) & ~(unsigned)INSP_WANT_STOPPED,
		      &list, NULL, err);
	if (r < 0)
		return r;
	at = find_namespace(&list, &sys->self_ns, &ns, INSP_NS_MNT);
	if (at < 0)
		at = find_namespace(&list, &sys->self_ns, &ns, INSP_NS_PID);
	if (at < 0)
		at = find_root(sys, &list, pid->pid);
	if (at >= 0) {
		*ret = list.items[at];
		list.items[at] = list.items[--list.n];
	}
	insp_list_clear(&list);
	return at >= 0;
}

int insp_resolve_pid(struct insp_sys *sys, const struct insp_pid *pid, unsigned want,
		     struct insp_container **ret_container, struct insp_err *err)
{
	struct insp_container *c = NULL;
	int r;

	r = by_cgroup(sys, pid, want, &c);
	if (r < 0)
		return insp_err_set(err, r, "look for the container of process %d", (int)pid->pid);
	if (r == 0)
		r = by_namespace(sys, pid, want, &c, err);
	if (r < 0)
		return r;
	/* all of it was read by number: is that still the process that was asked for? */
	if (!insp_pid_alive(pid)) {
		insp_container_free(c);
		return insp_err_say(err, -ESRCH, "process %d has ended", (int)pid->pid);
	}
	if (r == 0) {
		insp_err_say(err, -ENOENT, "process %d is in no container", (int)pid->pid);
		served_hint(sys, pid, err);
		return -ENOENT;
	}
	*ret_container = c;
	return 0;
}
