#include "libinspect/engines/hostproc.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/slowread.h"

#include <linux/capability.h>
#include <sys/stat.h>

void hostproc_free(struct hostproc *p)
{
	free(p->prefix);
	*p = (struct hostproc){ 0 };
}

static bool shares(const struct insp_sys *sys, pid_t pid, enum insp_ns_type type)
{
	uint64_t ino;

	return pid_ns_inode(sys->procfd, pid, type, &ino) == 0 && ino == sys->self_ns.ino[type];
}

static bool same_root(const struct insp_sys *sys, pid_t pid)
{
	struct stat theirs, ours;
	char path[32];

	snprintf(path, sizeof(path), "%d/root", (int)pid);
	return fstatat(sys->procfd, path, &theirs, 0) == 0 && fstat(sys->rootfd, &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* A chroot's path is this host's when they share the mounts, and as long as it leads there. */
static int find_prefix(const struct insp_sys *sys, pid_t pid, char **ret)
{
	_cleanup_free_ char *root = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat theirs, named;
	char path[32];
	int r;

	if (same_root(sys, pid)) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	if (!shares(sys, pid, INSP_NS_MNT))
		return 0;
	snprintf(path, sizeof(path), "%d/root", (int)pid);
	r = io_readlink(sys->procfd, path, &root);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	fd = sys_open(sys, root, O_PATH | O_DIRECTORY);
	if (fd >= 0 && fstat(fd, &named) == 0 && fstatat(sys->procfd, path, &theirs, 0) == 0 &&
	    named.st_dev == theirs.st_dev && named.st_ino == theirs.st_ino)
		*ret = TAKE_PTR(root);
	return 0;
}

/*
 * Root that may not mount is a container's that was given the host's processes and files (--pid=host, the host's root below
 * a directory, read-only as for monitoring): once it is chrooted there only that tells it from a daemon.
 */
static bool may_hold_containers(const struct pid_status *status)
{
	return status->euid != 0 || (status->cap_eff & 1ULL << CAP_SYS_ADMIN);
}

static int read_uid(const struct insp_sys *sys, pid_t pid, uid_t *ret)
{
	_cleanup_close_ int dirfd = -EBADF;
	struct pid_status status;
	char path[16];

	snprintf(path, sizeof(path), "%d", (int)pid);
	dirfd = openat(sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || pid_read_status_at(dirfd, &status) < 0 || status.ruid != status.euid ||
	    !may_hold_containers(&status))
		return -EPERM;
	*ret = status.euid;
	return 0;
}

static int read_where(const struct insp_sys *sys, struct hostproc *p)
{
	if (shares(sys, p->pid, INSP_NS_USER))
		return find_prefix(sys, p->pid, &p->prefix);
	/* whoever made the namespace could map root into it */
	p->rootless = true;
	return p->owner != 0 && engine_userns_owned_by(sys, p->pid, p->owner) ? 0 : -EPERM;
}

int hostproc_read(const struct insp_sys *sys, pid_t pid, struct hostproc *ret)
{
	_cleanup_hostproc_ struct hostproc p = { .pid = pid };
	struct pid_stat st;
	int r;

	if (!sys->live || pid_read_stat(sys->procfd, pid, &st) < 0 ||
	    read_uid(sys, pid, &p.owner) < 0 || !shares(sys, pid, INSP_NS_PID))
		return 0;
	p.start = st.start;
	r = read_where(sys, &p);
	if (r < 0 || !hostproc_same(sys, &p))
		return r == -ENOMEM ? r : 0;
	*ret = p;
	p = (struct hostproc){ 0 };
	return 1;
}

int hostproc_read_root(const struct insp_sys *sys, pid_t pid, struct hostproc *ret)
{
	_cleanup_hostproc_ struct hostproc p = { 0 };
	int r = hostproc_read(sys, pid, &p);

	if (r <= 0 || p.owner != 0 || !p.prefix)
		return r < 0 ? r : 0;
	*ret = p;
	p = (struct hostproc){ 0 };
	return 1;
}

bool hostproc_same(const struct insp_sys *sys, const struct hostproc *p)
{
	struct pid_stat st;

	return pid_read_stat(sys->procfd, p->pid, &st) == 0 && st.start == p->start &&
	       st.state != 'Z' && st.state != 'X';
}

static int read_args(struct insp_sys *sys, const struct hostproc *p, struct io_buf *ret)
{
	struct slowread *reader;
	char path[32];
	int r;

	if (p->owner == 0) {
		snprintf(path, sizeof(path), "%d/cmdline", (int)p->pid);
		return io_read_proc(sys->procfd, path, IO_SMALL_MAX, ret);
	}
	r = slowread_new(sys, &reader);
	if (r < 0)
		return r;
	r = slowread_read(reader, p->pid, "cmdline", IO_SMALL_MAX, &ret->data, &ret->len);
	slowread_free(reader);
	return r;
}

int hostproc_args(struct insp_sys *sys, const struct hostproc *p, struct io_buf *ret)
{
	int r = read_args(sys, p, ret);

	/* what was read by number counts only if the number still means the same process */
	return r < 0 ? r : hostproc_same(sys, p) ? 0 : -ESRCH;
}

/* What was seen of the children so far. */
struct search {
	const struct insp_sys *sys;
	pid_t parent, pid;
	uint64_t start;
	bool is_init;
};

static bool is_ns_init(const struct insp_sys *sys, pid_t pid)
{
	_cleanup_close_ int dirfd = -EBADF;
	struct pid_status status;
	char path[16];

	snprintf(path, sizeof(path), "%d", (int)pid);
	dirfd = openat(sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dirfd >= 0 && pid_read_status_at(dirfd, &status) == 0 && status.n_ns_pids > 1 &&
	       status.ns_pids[status.n_ns_pids - 1] == 1;
}

static void look_at_child(struct search *s, pid_t pid)
{
	struct pid_stat st;
	bool is_init;

	if (pid_read_stat(s->sys->procfd, pid, &st) < 0 || st.ppid != s->parent ||
	    st.state == 'Z' || st.state == 'X' ||
	    (shares(s->sys, pid, INSP_NS_MNT) && shares(s->sys, pid, INSP_NS_PID)))
		return;
	is_init = is_ns_init(s->sys, pid);
	if (s->pid && (s->is_init || !is_init))
		return;
	s->pid = pid;
	s->start = st.start;
	s->is_init = is_init;
}

/* "12 13 " (CONFIG_PROC_CHILDREN, Linux 3.5). -errno where there is no such file. */
static int search_children_file(struct search *s)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char path[64], *end;
	int r;

	snprintf(path, sizeof(path), "%d/task/%d/children", (int)s->parent, (int)s->parent);
	r = io_read_proc(s->sys->procfd, path, IO_SMALL_MAX, &b);
	if (r < 0)
		return r;
	for (const char *p = b.data; *p; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		if (pid > 0 && pid <= INT32_MAX)
			look_at_child(s, (pid_t)pid);
		end += *end == ' ';
	}
	return 0;
}

/*
 * The children of a thread other than the first stand in a file of that thread (a monitor whose main thread did not
 * start the container), so what the file does not show is looked for among all.
 */
int hostproc_container(struct engine_scan *scan, const struct hostproc *p, pid_t *ret_pid,
		       uint64_t *ret_start)
{
	struct search s = { .sys = scan->sys, .parent = p->pid };
	const struct scan_procs *procs;
	int r;

	(void)search_children_file(&s);
	if (s.pid == 0) {
		r = engine_scan_procs(scan, &procs);
		if (r < 0)
			return r;
		for (size_t i = 0; i < procs->n; i++)
			if (procs->items[i].pid_ns != scan->sys->self_ns.ino[INSP_NS_PID])
				look_at_child(&s, procs->items[i].pid);
	}
	if (s.pid == 0 || !hostproc_same(scan->sys, p))
		return 0;
	*ret_pid = s.pid;
	*ret_start = s.start;
	return 1;
}
