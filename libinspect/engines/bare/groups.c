#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/bare/bare.h"
#include "libinspect/kernel/pid.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

void bare_members_free(struct bare_members *m)
{
	free(m->items);
	free(m->claimed);
	*m = (struct bare_members){ 0 };
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool bare_is_claimed(const struct bare_members *m, uint64_t ino)
{
	return m->n_claimed > 0 &&
	       bsearch(&ino, m->claimed, m->n_claimed, sizeof(ino), compare_u64);
}

/* The pid and mount namespaces of the processes that other engines have claimed, unless they are the host's. */
static int collect_claimed(const struct engine_scan *scan, struct bare_members *m)
{
	static const enum insp_ns_type types[] = { INSP_NS_PID, INSP_NS_MNT };
	const struct insp_sys *sys = scan->sys;
	uint64_t ino;

	m->claimed = calloc(scan->claims.n + 1, ARRAY_SIZE(types) * sizeof(*m->claimed));
	if (!m->claimed)
		return -ENOMEM;
	for (size_t i = 0; i < scan->claims.n; i++)
		for (size_t t = 0; t < ARRAY_SIZE(types); t++)
			if (engine_proc_ns(scan, scan->claims.pids[i], types[t], &ino) == 0 &&
			    ino != sys->self_ns.ino[types[t]])
				m->claimed[m->n_claimed++] = ino;
	qsort(m->claimed, m->n_claimed, sizeof(*m->claimed), compare_u64);
	return 0;
}

/* 1, 0, -errno. */
static int has_other_root(const struct insp_sys *sys, const struct pid_root *host, pid_t pid)
{
	struct pid_root root;
	int r = pid_root(sys->procfd, pid, &root);

	return r < 0 ? r : !pid_root_same(&root, host);
}

/*
 * Whether pid, in the host's namespaces, has another root directory; a process that an engine has claimed is that
 * engine's. Fills b.
 */
static bool look_at_root(const struct engine_scan *scan, const struct pid_root *host,
			 struct bare_member *b)
{
	struct pid_root root;

	if (!host || pid_root(scan->sys->procfd, b->pid, &root) < 0 || pid_root_same(&root, host))
		return false;
	for (size_t i = 0; i < scan->claims.n; i++)
		if (scan->claims.pids[i] == b->pid)
			return false;
	b->by_root = true;
	b->key = root.ino;
	b->root_major = root.major;
	b->root_minor = root.minor;
	return true;
}

/* Whether pid is in namespaces or a root of its own; then *ret is filled. host: the host's root; NULL: not known. */
static bool look_at(const struct engine_scan *scan, const struct bare_members *m,
		    const struct pid_root *host, pid_t pid, struct bare_member *ret)
{
	const struct insp_sys *sys = scan->sys;
	struct bare_member b = { .pid = pid };
	uint64_t ino;

	if (engine_proc_ns(scan, pid, INSP_NS_PID, &ino) < 0)
		return false;
	b.by_pid = ino != sys->self_ns.ino[INSP_NS_PID];
	/* claimed by its pid namespace alone: one look less at each process of a known container */
	if ((b.by_pid && bare_is_claimed(m, ino)) ||
	    engine_proc_ns(scan, pid, INSP_NS_MNT, &b.mnt) < 0)
		return false;
	b.key = b.by_pid ? ino : b.mnt;
	if (!b.by_pid && b.mnt == sys->self_ns.ino[INSP_NS_MNT] && !look_at_root(scan, host, &b))
		return false;
	*ret = b;
	return b.by_root || (!bare_is_claimed(m, b.key) && !bare_is_claimed(m, b.mnt));
}

static int compare_members(const void *a, const void *b)
{
	const struct bare_member *x = a, *y = b;

	if (x->by_root != y->by_root)
		return x->by_root ? 1 : -1;
	if (x->root_major != y->root_major)
		return x->root_major < y->root_major ? -1 : 1;
	if (x->root_minor != y->root_minor)
		return x->root_minor < y->root_minor ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int collect_members(struct engine_scan *scan, const struct pid_root *host,
			   struct bare_members *m)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(scan, &procs);

	if (r < 0 || procs->n == 0)
		return r;
	m->items = calloc(procs->n, sizeof(*m->items));
	if (!m->items)
		return -ENOMEM;
	for (size_t i = 0; i < procs->n; i++) {
		struct bare_member *b = &m->items[m->n];

		if (look_at(scan, m, host, procs->items[i].pid, b))
			m->n++;
	}
	return 0;
}

/* The mount namespaces of the groups that are made by a pid namespace. *ret: sorted, free(). */
static int pid_groups_mounts(const struct bare_members *m, uint64_t **ret, size_t *ret_n)
{
	uint64_t *mnts = calloc(m->n + 1, sizeof(*mnts));
	size_t n = 0;

	if (!mnts)
		return -ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		if (m->items[i].by_pid)
			mnts[n++] = m->items[i].mnt;
	qsort(mnts, n, sizeof(*mnts), compare_u64);
	*ret = mnts;
	*ret_n = n;
	return 0;
}

static int drop_waiting_parents(struct bare_members *m)
{
	_cleanup_free_ uint64_t *mnts = NULL;
	size_t n = 0, kept = 0;
	int r = pid_groups_mounts(m, &mnts, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < m->n; i++) {
		const struct bare_member *b = &m->items[i];

		if (b->by_pid || b->by_root || !n ||
		    !bsearch(&b->mnt, mnts, n, sizeof(*mnts), compare_u64))
			m->items[kept++] = *b;
	}
	m->n = kept;
	return 0;
}

/* Whether the group that begins at b, of n members, has the host's root: its first process that answers decides. */
static bool shows_host_root(const struct insp_sys *sys, const struct pid_root *host,
			    const struct bare_member *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = has_other_root(sys, host, b[i].pid);

		if (r >= 0)
			return r == 0;
	}
	return true;
}

/*
 * Whether there is anything to run in the root directory of a process: not in the chroot that a daemon or its workers
 * shut themselves into. A file system that somebody serves (FUSE) is not asked.
 */
static bool has_programs(struct engine_scan *scan, const struct bare_member *b)
{
	static const char *const places[] = { "bin", "usr/bin", "sbin" };
	_cleanup_close_ int root = -EBADF;
	const struct mount_table *mounts;
	char path[32];

	if (engine_scan_mounts(scan, &mounts) < 0)
		return false;
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->items[i].major == b->root_major &&
		    mounts->items[i].minor == b->root_minor &&
		    str_starts(mounts->items[i].fstype, "fuse"))
			return false;
	snprintf(path, sizeof(path), "%d/root", (int)b->pid);
	root = openat(scan->sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; root >= 0 && i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd =
			insp_open_in_root(root, places[i], O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			return true;
	}
	return false;
}

static bool is_no_container(struct engine_scan *scan, const struct pid_root *host,
			    const struct bare_member *b, size_t n)
{
	if (b->by_pid)
		return false;
	return b->by_root ? !has_programs(scan, b)
			  : !host || shows_host_root(scan->sys, host, b, n);
}

/* One look a group, not one a process: a host may have thousands of processes in a few mount namespaces. */
static void drop_host_rooted(struct engine_scan *scan, const struct pid_root *host,
			     struct bare_members *m)
{
	size_t kept = 0, n;

	for (size_t i = 0; i < m->n; i += n) {
		const struct bare_member *b = &m->items[i];

		for (n = 1; i + n < m->n && bare_same_group(&b[n], b);)
			n++;
		if (is_no_container(scan, host, b, n))
			continue;
		memmove(&m->items[kept], b, n * sizeof(*b));
		kept += n;
	}
	m->n = kept;
}

int bare_collect(struct engine_scan *scan, struct bare_members *ret)
{
	_cleanup_bare_members_ struct bare_members m = { 0 };
	struct pid_root root;
	const struct pid_root *host;
	int r;

	if (!scan->sys->live)
		return 0;
	host = pid_root(scan->sys->rootfd, 0, &root) >= 0 ? &root : NULL;
	r = collect_claimed(scan, &m);
	if (r == 0)
		r = collect_members(scan, host, &m);
	if (r == 0)
		r = drop_waiting_parents(&m);
	if (r < 0)
		return r;
	if (m.n)
		qsort(m.items, m.n, sizeof(*m.items), compare_members);
	drop_host_rooted(scan, host, &m);
	*ret = m;
	m = (struct bare_members){ 0 };
	return 0;
}
