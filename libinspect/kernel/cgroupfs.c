/* Where cgroup hierarchies are mounted, and the directories and processes of a cgroup. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/span.h"

#include <sys/vfs.h>

#define CGROUP1_MAGIC 0x27e0eb	 /* CGROUP_SUPER_MAGIC of linux/magic.h */
#define CGROUP2_MAGIC 0x63677270 /* CGROUP2_SUPER_MAGIC */
#define DEPTH_MAX     64	 /* the kernel's own default limit is the path's length */
#define PIDS_MAX      (1 << 22)	 /* PID_MAX_LIMIT */

void cgroup_mounts_free(struct cgroup_mounts *m)
{
	free(m->v2);
	free(m->v2_root);
	for (size_t i = 0; i < m->n_v1; i++) {
		free(m->v1[i].path);
		free(m->v1[i].root);
	}
	*m = (struct cgroup_mounts){ 0 };
}

static int find_v1(const struct cgroup_mounts *m, struct span name)
{
	for (size_t i = 0; i < m->n_v1; i++)
		if (strlen(m->v1[i].controller) == span_len(&name) &&
		    memcmp(m->v1[i].controller, name.p, span_len(&name)) == 0)
			return (int)i;
	return -ENOENT;
}

/* A mount of the hierarchy's own root is worth more than one of a part of it. */
static int set_place(char **path, char **root, const struct mount_entry *e)
{
	if (*path && (strcmp(*root, "/") == 0 || strcmp(e->root, "/") != 0))
		return 0;
	free(*path);
	free(*root);
	*path = str_dup(e->target);
	*root = str_dup(e->root);
	return *path && *root ? 0 : -ENOMEM;
}

static bool is_option(struct span word)
{
	static const char *const options[] = { "rw",	      "ro",
					       "xattr",	      "none",
					       "noprefix",    "clone_children",
					       "nsdelegate",  "cpuset_v2_mode",
					       "favordynmods" };

	if (memmem(word.p, span_len(&word), "release_agent=", 14) || span_len(&word) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (span_len(&word) == strlen(options[i]) &&
		    memcmp(word.p, options[i], span_len(&word)) == 0)
			return true;
	return false;
}

/* A v1 mount's controllers stand among its super options: "rw,cpu,cpuacct", "rw,xattr,name=systemd". */
static int add_v1(struct cgroup_mounts *m, const struct mount_entry *e)
{
	struct span s = span_of(e->super_options, strlen(e->super_options)), word;

	while (span_until(&s, ',', &word)) {
		int i, r;

		if (is_option(word) || span_len(&word) >= sizeof(m->v1[0].controller))
			continue;
		i = find_v1(m, word);
		if (i < 0 && m->n_v1 == ARRAY_SIZE(m->v1))
			continue;
		if (i < 0) {
			i = (int)m->n_v1++;
			memcpy(m->v1[i].controller, word.p, span_len(&word));
			m->v1[i].controller[span_len(&word)] = '\0';
		}
		r = set_place(&m->v1[i].path, &m->v1[i].root, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_mounts_of(const struct mount_table *t, struct cgroup_mounts *ret)
{
	struct cgroup_mounts m = { 0 };
	int r = 0;

	for (size_t i = 0; i < t->n && r >= 0; i++) {
		const struct mount_entry *e = &t->items[i];

		/* what lies under a later mount cannot be opened by its path */
		if (mountinfo_find(t, e->target) != e)
			continue;
		if (strcmp(e->fstype, "cgroup2") == 0)
			r = set_place(&m.v2, &m.v2_root, e);
		else if (strcmp(e->fstype, "cgroup") == 0)
			r = add_v1(&m, e);
	}
	if (r < 0) {
		cgroup_mounts_free(&m);
		return r;
	}
	*ret = m;
	return 0;
}

int cgroup_mounts_read(const struct insp_sys *sys, struct cgroup_mounts *ret, struct insp_err *err)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	int r = mountinfo_read(sys, 0, &t, err);

	if (r < 0)
		return r;
	r = cgroup_mounts_of(&t, ret);
	return r < 0 ? insp_err_set(err, r, "find the cgroup mounts") : 0;
}

/* A path that leaves the mounted part ("/../x": a cgroup above our cgroup namespace) has no directory here. */
static bool leaves_root(const char *path)
{
	struct span s = span_of(path, strlen(path)), c;

	while (span_until(&s, '/', &c))
		if (span_len(&c) == 2 && memcmp(c.p, "..", 2) == 0)
			return true;
	return false;
}

/* The part of path below the cgroup that is mounted (root, mountinfo's fourth field). NULL: it is not below it. */
static const char *below_mount(const char *path, const char *root)
{
	const char *rest = strcmp(root, "/") == 0 ? path : str_after(path, root);

	if (!rest || (*rest != '\0' && *rest != '/') || leaves_root(rest))
		return NULL;
	return rest;
}

static int open_checked(const struct insp_sys *sys, const char *mount, const char *rest, long magic)
{
	_cleanup_free_ char *path = str_format("%s%s", mount, rest);
	_cleanup_close_ int fd = -EBADF;
	struct statfs fs;

	if (!path)
		return -ENOMEM;
	fd = sys_open_dir(sys, path);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return (long)fs.f_type == magic ? TAKE_FD(fd) : -ENOENT;
}

static int open_below(const struct insp_sys *sys, const char *mount, const char *root,
		      const char *path, bool v2)
{
	const char *rest = mount ? below_mount(path, root) : NULL;

	return rest ? open_checked(sys, mount, rest, v2 ? CGROUP2_MAGIC : CGROUP1_MAGIC) : -ENOENT;
}

int cgroup_open(const struct insp_sys *sys, const struct cgroup_mounts *m,
		const struct cgroup_line *line)
{
	struct span s = span_of(line->controllers, strlen(line->controllers)), word;

	if (line->hierarchy == 0)
		return open_below(sys, m->v2, m->v2_root, line->path, true);
	while (span_until(&s, ',', &word)) {
		int i = find_v1(m, word);

		if (i >= 0)
			return open_below(sys, m->v1[i].path, m->v1[i].root, line->path, false);
	}
	return -ENOENT;
}

struct pid_array {
	pid_t *items;
	size_t n, cap;
};

static int pid_array_add(struct pid_array *a, pid_t pid)
{
	if (a->n >= PIDS_MAX)
		return -E2BIG;
	if (!util_grow(&a->items, a->n, &a->cap, sizeof(*a->items), 64))
		return -ENOMEM;
	a->items[a->n++] = pid;
	return 0;
}

static int add_procs_of(int cgroupfd, struct pid_array *a)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct span s, line;
	int r, pid;

	r = io_read_proc(cgroupfd, "cgroup.procs", IO_STATE_MAX, &b);
	/* EOPNOTSUPP: a threaded cgroup, whose processes its domain lists; ENODEV, ENOENT: just removed */
	if (r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	s = span_of(b.data, b.len);
	while (r >= 0 && span_line(&s, &line))
		/* 0: a process outside our pid namespace */
		if (span_int(&line, &pid) && pid > 0)
			r = pid_array_add(a, pid);
	return r;
}

static int add_procs_below(int cgroupfd, struct pid_array *a, int depth)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = add_procs_of(cgroupfd, a);

	if (r < 0 || depth == DEPTH_MAX)
		return r;
	r = io_opendir(cgroupfd, ".", &dir);
	if (r < 0)
		return r;
	for_each_entry (de, dir) {
		_cleanup_close_ int sub = -EBADF;

		if (de->d_type != DT_DIR && de->d_type != DT_UNKNOWN)
			continue;
		sub = io_open_dir(cgroupfd, de->d_name);
		if (sub < 0)
			continue;
		r = add_procs_below(sub, a, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* v1 may list a process twice, and one may move between two reads. */
static void sort_unique(struct pid_array *a)
{
	size_t n = 0;

	if (a->n == 0)
		return;
	qsort(a->items, a->n, sizeof(*a->items), by_number);
	for (size_t i = 0; i < a->n; i++)
		if (n == 0 || a->items[n - 1] != a->items[i])
			a->items[n++] = a->items[i];
	a->n = n;
}

ssize_t cgroup_procs(int cgroupfd, pid_t **ret)
{
	struct pid_array a = { 0 };
	int r = add_procs_below(cgroupfd, &a, 0);

	if (r < 0) {
		free(a.items);
		return r;
	}
	sort_unique(&a);
	*ret = a.items;
	return (ssize_t)a.n;
}
