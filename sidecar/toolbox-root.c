/*
 * The session's root made of a toolbox: the toolbox itself, and on it what is not its own: the host's devices, the target, memory.
 *
 * What is in the toolbox may be hostile: each mount point is made a real directory or file of its own first, in the layer that is
 * written to, where it is a link or something else. Nobody else sees the tree yet, so what was looked at is what is mounted on.
 */
#include "sidecar/toolbox-root.h"
#include "libinspect/sysc.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A directory of that name, and no link to one. */
static int make_dir(int dirfd, const char *name, mode_t mode)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		if (unlinkat(dirfd, name, 0) < 0)
			return -errno;
	}
	if (mkdirat(dirfd, name, mode) < 0)
		return -errno;
	return fchmodat(dirfd, name, mode, 0) < 0 ? -errno : 0;
}

/* A regular file of that name, empty where there was none. */
static int make_file(int dirfd, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(st.st_mode))
			return 0;
		if (unlinkat(dirfd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
			return -errno;
	}
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int make_points(const struct sidecar_plan *plan, int root)
{
	static const char *const names[] = { "target", "proc", "sys", "dev", SIDECAR_DIR, "etc" };
	_cleanup_close_ int etc = -1;
	int r = make_dir(root, "tmp", 01777);

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = make_dir(root, names[i], 0755);
	/* toolbox_home(): one component */
	if (r == 0 && strcmp(plan->home, "/tmp") != 0)
		r = make_dir(root, plan->home + 1, 0700);
	if (r < 0)
		return r;
	etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (etc < 0)
		return -errno;
	r = make_file(etc, "resolv.conf");
	return r ?: make_file(etc, "hosts");
}

/* Files of ours, not in the toolbox: what is kept of it has none of them. */
static int attach_own(struct mounts *m)
{
	_cleanup_close_ int fd = mounts_tmpfs("0755", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int r = fd < 0 ? fd : files_write(fd, "empty", "", 0);

	if (r < 0)
		return r;
	return sysc_move_mount_to(fd, m->root, SIDECAR_DIR, 0) < 0 ? -errno : 0;
}

static int hide_file(const struct mounts *m, const char *dir, const char *name)
{
	_cleanup_close_ int dirfd =
		openat(m->root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int empty = -1;
	struct stat st;
	int r;

	if (dirfd < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = make_file(dirfd, name);
	if (r < 0)
		return r;
	empty = sysc_open_tree(m->root, SIDECAR_DIR "/empty", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return empty < 0 || sysc_move_mount_to(empty, dirfd, name, 0) < 0 ? -errno : 0;
}

/*
 * What a shell runs that nobody asked for. bash's, which a distribution's build reads before the user's own (SYS_BASHRC), in
 * which the prompt is; that of the home directory and of ENV is ours.
 */
static int hide_start_files(const struct mounts *m)
{
	int r = hide_file(m, "etc", "bash.bashrc");

	return r ?: hide_file(m, "etc", "bashrc");
}

static int attach_hosts(const struct sidecar_plan *plan, struct mounts *m)
{
	int r = mounts_attach_host(m, "dev");

	if (r == 0 && !(plan->join & (1U << INSP_NS_PID)))
		r = mounts_attach_host(m, "proc");
	if (r == 0 && !(plan->join & (1U << INSP_NS_NET)))
		r = mounts_attach_host(m, "sys");
	return r;
}

int toolbox_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	const struct toolbox *t = plan->opts->toolbox;
	int r;

	if (m->by_hand) {
		insp_err_set(err, -ENOSYS, "toolbox '%s'", t->spec);
		insp_err_hint(err, "for a toolbox cdebug needs Linux 5.12 or later "
				   "(mount_setattr)");
		return -ENOSYS;
	}
	r = toolbox_mount(t, &m->root, err);
	if (r < 0)
		return r;
	if (sysc_move_mount_to(m->root, AT_FDCWD, "/", 0) < 0)
		return insp_err_set(err, -errno, "toolbox '%s': attach it", t->spec);
	r = make_points(plan, m->root);
	r = r ?: attach_own(m);
	r = r ?: hide_start_files(m);
	r = r ?: attach_hosts(plan, m);
	return r < 0 ? insp_err_set(err, r, "toolbox '%s': prepare its root", t->spec) : 0;
}

/* ---- files over the toolbox's ---- */

static int copy_host_conf(const char *path, int dirfd, const char *name)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *buf = malloc(NAMECONF_MAX);
	ssize_t n = fd < 0 || !buf ? -1 : read(fd, buf, NAMECONF_MAX);

	return n < 0 ? -errno : files_write(dirfd, name, buf, (size_t)n);
}

void toolbox_host_names(int dirfd)
{
	/* a host without them resolves nothing, and nothing else can be done about it */
	copy_host_conf("/etc/resolv.conf", dirfd, "resolv.conf");
	copy_host_conf("/etc/hosts", dirfd, "hosts");
}

char *toolbox_home(const struct sidecar_plan *plan)
{
	return strdup(plan->ids.set_uid && plan->ids.uid != 0 ? "/tmp" : "/root");
}
