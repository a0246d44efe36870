/*
 * The layers of a container's root by the kernel's mount tables alone. proc_pid_mountinfo(5).
 *
 * The line of "/" is the kernel's, but paths in it are as the mounter saw them, maybe in another mount namespace, and a
 * user who owns a user namespace mounts what he likes. So nothing is believed that does not prove itself: a directory
 * must be the root itself (device and inode), overlay's upper must have the merged root's inode number and change
 * time, which overlay takes from it; and overlay's options count only in a mount namespace of the host's own user
 * namespace, where only the host's root can have mounted.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/kernel/pid.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define STAT_TRIES 3 /* a root directory that changes between two looks */

struct mounted_root {
	struct engine_scan *scan;
	pid_t pid;
	char root[32];	  /* "PID/root" below procfd */
	const char *path; /* instead of pid and root: a directory of the host */
};

/* A file system that a process serves may never answer. */
static bool is_fuse(const char *fstype)
{
	return str_eq(fstype, "fuse") || str_starts(fstype, "fuse.");
}

static int stat_path(int dirfd, const char *path, struct statx *ret)
{
	int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);

	return statx(dirfd, path, flags, STATX_BASIC_STATS, ret) < 0 ? -errno : 0;
}

/* Whether an absolute path of the host is a directory; ret (may be NULL) gets its attributes. */
static bool stat_host_dir(const struct mounted_root *m, const char *path, struct statx *ret)
{
	_cleanup_close_ int fd = sys_open(m->scan->sys, path, O_PATH | O_DIRECTORY);

	return fd >= 0 && (!ret || stat_path(fd, "", ret) == 0);
}

static bool stat_root(const struct mounted_root *m, struct statx *ret)
{
	return m->path ? stat_host_dir(m, m->path, ret)
		       : stat_path(m->scan->sys->procfd, m->root, ret) == 0;
}

static bool same_inode(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor;
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whether the root directory is the one at path on the host. */
static bool is_root_itself(const struct mounted_root *m, const char *path)
{
	struct statx root, dir;

	return stat_root(m, &root) && stat_host_dir(m, path, &dir) && same_inode(&root, &dir);
}

/*
 * Whether the merged root shows what it shows of its uppermost layer: times (of the kernel's clock, some milliseconds
 * coarse) and inode number, which may also be that of the first lower one (ovl_getattr(), of an origin).
 */
static bool is_top_layer(const struct mounted_root *m, const char *path, const char *lower)
{
	for (int i = 0; i < STAT_TRIES; i++) {
		struct statx root, dir, low;

		if (!stat_host_dir(m, path, &dir) || !stat_host_dir(m, lower, &low) ||
		    !stat_root(m, &root))
			return false;
		if (same_time(&root.stx_ctime, &dir.stx_ctime) &&
		    same_time(&root.stx_mtime, &dir.stx_mtime) && root.stx_mode == dir.stx_mode)
			return root.stx_ino == dir.stx_ino || root.stx_ino == low.stx_ino;
	}
	return false;
}

/* Whether the mount namespace belongs to this program's user namespace: nobody else can have mounted in it. */
static bool mounts_are_roots(const struct mounted_root *m)
{
	const struct insp_sys *sys = m->scan->sys;
	_cleanup_close_ int ns = -EBADF, owner = -EBADF;
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "%d/ns/mnt", (int)m->pid);
	ns = openat(sys->procfd, path, O_RDONLY | O_CLOEXEC);
	owner = ns < 0 ? ns : ioctl(ns, NS_GET_USERNS);
	return owner >= 0 && fstat(owner, &st) == 0 && st.st_ino == sys->self_ns.ino[INSP_NS_USER];
}

/* What is left of path below dir, "" or beginning with a slash; NULL when it does not lie there. */
static const char *below(const char *path, const char *dir)
{
	const char *rest = str_after(path, str_eq(dir, "/") ? "" : dir);

	return rest && (*rest == '/' || !*rest) ? rest : NULL;
}

/* The mount that path lies on: of the longest targets the last one. NULL: none. */
static const struct mount_entry *mount_of(const struct mount_table *t, const char *path)
{
	const struct mount_entry *best = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (below(path, t->items[i].target) &&
		    (!best || strlen(t->items[i].target) >= strlen(best->target)))
			best = &t->items[i];
	return best;
}

/* One whole tree at path. The host's own root is no container's. */
static int set_dir(struct insp_container *c, const char *path)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;

	if (str_eq(path, "/"))
		return 0;
	layers = container_layers_new(INSP_ROOT_DIR);
	if (!layers || container_set(&layers->upper, path) < 0)
		return -ENOMEM;
	c->layers = TAKE_PTR(layers);
	return 0;
}

/* A directory of a file system that the host has mounted, too: where it is there. */
static int dir_layers(const struct mounted_root *m, const struct mount_entry *root,
		      struct insp_container *c)
{
	const struct mount_table *host;

	if (is_fuse(root->fstype) || engine_scan_mounts(m->scan, &host) < 0)
		return 0;
	for (size_t i = 0; i < host->n; i++) {
		const struct mount_entry *e = &host->items[i];
		_cleanup_free_ char *path = NULL;
		const char *rest;

		if (e->major != root->major || e->minor != root->minor)
			continue;
		rest = below(root->root, e->root);
		if (!rest)
			continue;
		path = str_format("%s%s", str_eq(e->target, "/") && *rest ? "" : e->target, rest);
		if (!path)
			return -ENOMEM;
		/* something else may be mounted over it */
		if (mount_of(host, path) == e && is_root_itself(m, path))
			return set_dir(c, path);
	}
	return 0;
}

/* chroot(2) into what is no mount: the table has no "/", but the link tells. */
static int chroot_layers(const struct mounted_root *m, struct insp_container *c)
{
	const struct mount_entry *e;
	const struct mount_table *host;
	_cleanup_free_ char *path = NULL;

	if (io_readlink(m->scan->sys->procfd, m->root, &path) < 0 || path[0] != '/' ||
	    engine_scan_mounts(m->scan, &host) < 0)
		return 0;
	e = mount_of(host, path);
	if (!e || is_fuse(e->fstype) || !is_root_itself(m, path))
		return 0;
	return set_dir(c, path);
}

/* An absolute path of a layer: base before what is relative. NULL: out of memory. */
static char *layer_path(const char *base, const char *layer)
{
	return layer[0] == '/' ? str_dup(layer) : str_format("%s/%s", base, layer);
}

/* The layers with base before those that are relative. */
static int make_layers(const char *base, char *const *lowers, size_t n, const char *upper,
		       struct insp_layers **ret)
{
	_cleanup_layers_ struct insp_layers *layers = container_layers_new(INSP_ROOT_OVERLAY);
	int r = 0;

	if (layers && upper)
		layers->upper = layer_path(base, upper);
	if (!layers || (upper && !layers->upper))
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		_cleanup_free_ char *path = layer_path(base, lowers[i]);

		r = path ? container_layers_add(layers, path) : -ENOMEM;
	}
	if (r == 0)
		*ret = TAKE_PTR(layers);
	return r;
}

/* Whether they are the root's: the uppermost is seen in it, and all are there. */
static bool are_layers(const struct mounted_root *m, const struct insp_layers *l)
{
	if (l->n_lowers == 0 || !is_top_layer(m, l->upper ? l->upper : l->lowers[0], l->lowers[0]))
		return false;
	for (size_t i = 1; i < l->n_lowers; i++)
		if (!stat_host_dir(m, l->lowers[i], NULL))
			return false;
	return true;
}

static void free_strings(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

static int overlay_layers(const struct mounted_root *m, const struct mount_entry *root,
			  const char *const *bases, struct insp_container *c)
{
	static const char *const nowhere[] = { "", NULL };
	_cleanup_free_ char *upper = NULL;
	char **lowers = NULL;
	size_t n = 0;
	int r = mountinfo_overlay(root, &lowers, &n, &upper);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	/* no base: as if the mounter had stood in the root directory */
	for (const char *const *base = bases && *bases ? bases : nowhere; *base && r == 0; base++) {
		_cleanup_layers_ struct insp_layers *layers = NULL;

		r = make_layers(*base, lowers, n, upper, &layers);
		if (r == 0 && are_layers(m, layers)) {
			c->layers = TAKE_PTR(layers);
			break;
		}
	}
	free_strings(lowers, n);
	return r == -ENOMEM ? r : 0;
}

static int find_layers(const struct mounted_root *m, const struct mount_table *table,
		       const char *const *bases, struct insp_container *c)
{
	const struct mount_entry *root = mountinfo_find(table, "/");

	if (root && !str_eq(root->fstype, "overlay"))
		return dir_layers(m, root, c);
	if (!mounts_are_roots(m))
		return 0;
	return root ? overlay_layers(m, root, bases, c) : chroot_layers(m, c);
}

int engine_layers_from_mounts(struct engine_scan *scan, struct insp_container *c,
			      const char *const *bases)
{
	struct mounted_root m = { .scan = scan, .pid = c->pid };
	_cleanup_mount_table_ struct mount_table table = { 0 };
	struct pid_stat st;
	int r;

	if (!(scan->want & INSP_WANT_FILES) || c->layers || c->pid <= 0 || !scan->sys->live)
		return 0;
	snprintf(m.root, sizeof(m.root), "%d/root", (int)c->pid);
	r = mountinfo_read(scan->sys, c->pid, &table, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = find_layers(&m, &table, bases, c);
	/* what was read by number counts only if the number still means the same process */
	if (r == 0 && c->layers &&
	    (pid_read_stat(scan->sys->procfd, c->pid, &st) < 0 || st.start != c->pid_start))
		c->layers = container_layers_free(c->layers);
	return r;
}

static bool has_entries(const struct insp_sys *sys, const char *path)
{
	_cleanup_close_ int fd = sys_open_dir(sys, path);
	_cleanup_io_dir_ struct io_dir *dir = NULL;

	if (fd < 0 || io_dir_of(fd, &dir) < 0)
		return false;
	for_each_entry (de, dir)
		return true;
	return false;
}

int engine_layers_of_dir(struct engine_scan *scan, const char *path, struct insp_container *c)
{
	struct mounted_root m = { .scan = scan, .path = path };
	const struct mount_entry *e = NULL;
	const struct mount_table *host;

	if (!(scan->want & INSP_WANT_FILES) || c->layers || path[0] != '/')
		return 0;
	if (engine_scan_mounts(scan, &host) == 0)
		e = mountinfo_find(host, path);
	if (e && str_eq(e->fstype, "overlay"))
		return overlay_layers(&m, e, NULL, c);
	return has_entries(scan->sys, path) ? set_dir(c, path) : 0;
}
