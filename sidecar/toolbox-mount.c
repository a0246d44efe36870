/*
 * A toolbox, mounted. See toolbox.h.
 *
 * While the overlay is made, memory lies over the namespace's root, reached by its fd only: in it "upper" and "work", and "lower",
 * where a file system image is mounted. overlayfs takes only what is mounted in the caller's namespace (clone_private_mount()
 * of the kernel's fs/namespace.c), and holds what it took by itself afterwards.
 */
#include "sidecar/mounts.h"
#include "sidecar/toolbox-kinds.h"
#include "libinspect/files.h"
#include "libinspect/sysc.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int fail(const struct toolbox *t, int r, const char *what, struct insp_err *err)
{
	insp_err_set(err, r, "toolbox '%s': %s", t->spec, what);
	if (r == -ENOSYS)
		insp_err_hint(err, MOUNTS_NEED);
	else if (r == -EPERM || r == -EACCES)
		insp_err_hint(err, TOOLBOX_DENIED);
	return r;
}

static int make_scratch(const struct toolbox *t, int *ret_fd, struct insp_err *err)
{
	static const char *const names[] = { "upper", "work", "lower" };
	_cleanup_close_ int fd = mounts_tmpfs("0700", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (fd < 0)
		return fail(t, fd, "make a file system in memory", err);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(fd, names[i], 0755) < 0)
			return fail(t, -errno, "make a file system in memory", err);
	if (sysc_move_mount_to(fd, AT_FDCWD, "/", 0) < 0)
		return fail(t, -errno, "attach a file system in memory", err);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static void leave_scratch(int fd)
{
	char path[PROC_FD_PATH_MAX];

	proc_fd_path(fd, path);
	umount2(path, MNT_DETACH);
}

static int config_fd(int fs, const char *key, int dirfd, const char *below)
{
	char fd[PROC_FD_PATH_MAX], path[PROC_FD_PATH_MAX + 16];

	proc_fd_path(dirfd, fd);
	snprintf(path, sizeof(path), "%s%s", fd, below);
	return sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, key, path);
}

/* A merged root is as its upper directory is. */
static int copy_mode(int from, int changes)
{
	struct stat st;

	if (fstat(from, &st) < 0 || fchownat(changes, "upper", st.st_uid, st.st_gid, 0) < 0 ||
	    fchmodat(changes, "upper", st.st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

/* No marks that another lower tree would give another meaning: what is kept outlives the toolbox of today. */
static int overlay(int lower, int changes, int *ret_tree)
{
	_cleanup_close_ int fs = sysc_fsopen("overlay");
	int r = fs < 0 ? -errno : copy_mode(lower, changes), tree;

	if (r < 0)
		return r;
	if (sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "source", "cdebug") < 0 ||
	    config_fd(fs, "lowerdir", lower, "") < 0 ||
	    config_fd(fs, "upperdir", changes, "/upper") < 0 ||
	    config_fd(fs, "workdir", changes, "/work") < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "index", "off") < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "metacopy", "off") < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "redirect_dir", "off") < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_CREATE, NULL, NULL) < 0)
		return -errno;
	tree = sysc_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (tree < 0)
		return -errno;
	*ret_tree = tree;
	return 0;
}

/* The directory that is the toolbox, in this mount namespace. */
static int open_lower(const struct toolbox *t, int scratch, struct insp_err *err)
{
	int fd, r = 0;

	switch (t->kind) {
	case TOOLBOX_DIR:
		fd = open(t->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? fail(t, -errno, "open it", err) : fd;
	case TOOLBOX_SQUASHFS:
	case TOOLBOX_EROFS: r = toolbox_attach_image(t, scratch, "lower", err); break;
	case TOOLBOX_IMAGE: return -EINVAL; /* mount_image() */
	}
	if (r < 0)
		return r;
	fd = openat(scratch, "lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(t, -errno, "open it", err) : fd;
}

/* Where what is written goes: the memory, or a directory of this host, opened in this mount namespace. */
static int open_changes(const struct toolbox *t, int scratch, struct insp_err *err)
{
	int fd = t->keep ? open(t->keep, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			 : fcntl(scratch, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? insp_err_set(err, -errno, "open '%s'", t->keep ?: "memory") : fd;
}

static void hint_keep(const struct toolbox *t, int r, struct insp_err *err)
{
	if (t->keep && r == -EINVAL)
		insp_err_hint(err,
			      "'%s' must be on a file system that overlayfs can write to; the "
			      "kernel's log (dmesg) says more",
			      t->keep);
}

static int mount_lower(const struct toolbox *t, int scratch, int changes, int *ret_tree,
		       struct insp_err *err)
{
	_cleanup_close_ int lower = open_lower(t, scratch, err);
	int r;

	if (lower < 0)
		return lower;
	r = overlay(lower, changes, ret_tree);
	return r < 0 ? fail(t, r, "mount it", err) : 0;
}

/* The layers of an engine's store, where they are. */
static int mount_image(const struct toolbox *t, int changes, int *ret_tree, struct insp_err *err)
{
	const struct insp_mount_opts o = { .changes = changes };
	_cleanup_sys_ struct insp_sys *sys = NULL;
	/* who found it may have opened the host in another mount namespace, of which nothing can be mounted here */
	int r = insp_sys_open(NULL, &sys, err);

	r = r ?: insp_mount_files(sys, t->image, &o, ret_tree, err);
	return r < 0 ? insp_err_wrap(err, r, "toolbox") : 0;
}

/* All of the host's, to be read only. */
static int clone_host(int *ret_tree, struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int tree =
		sysc_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0 || sysc_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0) {
		insp_err_set(err, -errno, "bring the host's files");
		if (err->code == -ENOSYS)
			insp_err_hint(err, "this needs Linux 5.12 or later (mount_setattr)");
		return err->code;
	}
	*ret_tree = tree;
	tree = -1;
	return 0;
}

static int mount_toolbox(const struct toolbox *t, int scratch, int *ret_tree, struct insp_err *err)
{
	_cleanup_close_ int changes = open_changes(t, scratch, err);
	int r;

	if (changes < 0)
		return changes;
	r = t->kind == TOOLBOX_IMAGE ? mount_image(t, changes, ret_tree, err)
				     : mount_lower(t, scratch, changes, ret_tree, err);
	hint_keep(t, r, err);
	return r;
}

int toolbox_mount(const struct toolbox *t, int *ret_tree, struct insp_err *err)
{
	_cleanup_close_ int scratch = -1;
	int r = t ? make_scratch(t, &scratch, err) : clone_host(ret_tree, err);

	if (r < 0 || !t)
		return r;
	r = mount_toolbox(t, scratch, ret_tree, err);
	leave_scratch(scratch);
	return r;
}
