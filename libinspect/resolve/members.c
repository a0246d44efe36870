#include "libinspect/resolve/members.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/pid.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#define IOCTL_NS_GET_PARENT 0xb702 /* _IO(NSIO, 2), linux/nsfs.h; since Linux 4.9 */
#define NESTED_MAX	    64	   /* pid namespaces whose ancestry is remembered */
#define PID_LEVELS	    32	   /* MAX_PID_NS_LEVEL */

static bool holds(const pid_t *pids, ssize_t n, pid_t pid)
{
	for (ssize_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

size_t members_own_part(const char *path, const char *id)
{
	size_t own = 0;

	for (const char *p = path; *p;) {
		const char *end = strchrnul(p, '/');

		if (cgroup_component_is(p, (size_t)(end - p), id))
			own = (size_t)(end - path);
		p = *end ? end + 1 : end;
	}
	return own;
}

/* Processes of the cgroup that line and id name. -ENOENT: not the container's, or not to be seen here. */
static ssize_t from_line(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
			 const struct cgroup_line *line, const char *id, pid_t **ret)
{
	size_t own = members_own_part(line->path, id);
	_cleanup_free_ char *path = strndup(line->path, own);
	struct cgroup_line whole = { line->hierarchy, line->controllers, path };
	_cleanup_close_ int fd = -EBADF;

	if (!path)
		return -ENOMEM;
	if (own == 0)
		return -ENOENT;
	fd = cgroup_open(sys, mounts, &whole);
	return fd < 0 ? fd : cgroup_procs(fd, ret);
}

/* v2 stands last in /proc/PID/cgroup; it is asked first. */
static ssize_t from_cgroup(const struct insp_sys *sys, const char *id, const struct insp_pid *init,
			   pid_t **ret)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	_cleanup_cgroup_mounts_ struct cgroup_mounts mounts = { 0 };
	int r;

	r = cgroup_read(sys->procfd, init->pid, &lines);
	if (r < 0 || !cgroup_has_id(&lines, id))
		return r < 0 ? r : -ENOENT;
	r = cgroup_mounts_read(sys, &mounts, NULL);
	if (r < 0)
		return r;
	for (size_t i = lines.n; i > 0; i--) {
		_cleanup_free_ pid_t *pids = NULL;
		ssize_t n = from_line(sys, &mounts, &lines.items[i - 1], id, &pids);

		if (n > 0 && holds(pids, n, init->pid)) {
			*ret = TAKE_PTR(pids);
			return n;
		}
	}
	return -ENOENT;
}

/* ---- by namespace ---- */

struct by_ns {
	const struct insp_sys *sys;
	enum insp_ns_type type;
	uint64_t ino;
	struct {
		uint64_t ino;
		bool below;
	} seen[NESTED_MAX];
	size_t n_seen;
	pid_t *pids;
	size_t n, cap;
};

bool members_in_pid_ns(const struct insp_sys *sys, pid_t pid, uint64_t ino)
{
	_cleanup_close_ int fd = -EBADF;
	char path[32];

	snprintf(path, sizeof(path), "%d/ns/pid", pid);
	fd = openat(sys->procfd, path, O_RDONLY | O_CLOEXEC);
	for (int level = 0; fd >= 0 && level < PID_LEVELS; level++) {
		struct stat st;
		int parent;

		if (fstat(fd, &st) == 0 && st.st_ino == ino)
			return true;
		/* EPERM: the parent is outside our own pid namespace, so not the wanted one */
		parent = ioctl(fd, IOCTL_NS_GET_PARENT);
		util_close(fd);
		fd = parent;
	}
	return false;
}

static bool is_nested(struct by_ns *by, pid_t pid, uint64_t ino)
{
	bool below;

	if (by->type != INSP_NS_PID || ino == by->sys->self_ns.ino[INSP_NS_PID])
		return false;
	for (size_t i = 0; i < by->n_seen; i++)
		if (by->seen[i].ino == ino)
			return by->seen[i].below;
	below = members_in_pid_ns(by->sys, pid, by->ino);
	if (by->n_seen < NESTED_MAX) {
		by->seen[by->n_seen].ino = ino;
		by->seen[by->n_seen++].below = below;
	}
	return below;
}

static int add(struct by_ns *by, pid_t pid)
{
	if (!util_grow(&by->pids, by->n, &by->cap, sizeof(*by->pids), 64))
		return -ENOMEM;
	by->pids[by->n++] = pid;
	return 0;
}

static int add_if_member(struct by_ns *by, pid_t pid)
{
	uint64_t ino;

	if (pid_ns_inode(by->sys->procfd, pid, by->type, &ino) < 0)
		return 0;
	return ino == by->ino || is_nested(by, pid, ino) ? add(by, pid) : 0;
}

static int scan_proc(struct by_ns *by)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = io_opendir(by->sys->procfd, ".", &dir);

	if (r < 0)
		return r;
	for_each_pid (pid, dir) {
		r = add_if_member(by, pid);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In no namespace of its own: those in the same root directory, unless that is the host's. */
static int scan_roots(struct by_ns *by, const struct insp_pid *init)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct pid_root host, root, other;
	int r;

	if (pid_root(by->sys->rootfd, 0, &host) < 0 ||
	    pid_root(by->sys->procfd, init->pid, &root) < 0 || pid_root_same(&host, &root))
		return 0;
	r = io_opendir(by->sys->procfd, ".", &dir);
	if (r < 0)
		return r;
	for_each_pid (pid, dir) {
		if (pid_root(by->sys->procfd, pid, &other) < 0 || !pid_root_same(&root, &other))
			continue;
		r = add(by, pid);
		if (r < 0)
			return r;
	}
	return 0;
}

bool members_namespace(const struct insp_sys *sys, const struct insp_pid *init,
		       enum insp_ns_type *ret_type, uint64_t *ret_ino)
{
	static const enum insp_ns_type order[] = { INSP_NS_PID, INSP_NS_MNT, INSP_NS_USER,
						   INSP_NS_NET, INSP_NS_IPC, INSP_NS_UTS };
	struct insp_ns_set set = { 0 };

	(void)insp_pid_namespaces(init, &set, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint64_t ino = set.ino[order[i]];

		if (ino == 0 || ino == sys->self_ns.ino[order[i]])
			continue;
		*ret_type = order[i];
		*ret_ino = ino;
		return true;
	}
	return false;
}

static ssize_t from_namespace(const struct insp_sys *sys, const struct insp_pid *init, pid_t **ret)
{
	struct by_ns by = { .sys = sys };
	int r;

	r = members_namespace(sys, init, &by.type, &by.ino) ? scan_proc(&by)
							    : scan_roots(&by, init);
	/* nothing of its own: all that is sure is the process itself */
	if (r >= 0 && by.n == 0) {
		by.pids = malloc(sizeof(*by.pids));
		r = by.pids ? 0 : -ENOMEM;
		if (by.pids)
			by.pids[by.n++] = init->pid;
	}
	if (r < 0) {
		free(by.pids);
		return r;
	}
	*ret = by.pids;
	return (ssize_t)by.n;
}

ssize_t members_of(struct insp_sys *sys, const char *id, const struct insp_pid *init, pid_t **ret)
{
	ssize_t n = from_cgroup(sys, id, init, ret);

	return n > 0 || n == -ENOMEM ? n : from_namespace(sys, init, ret);
}
