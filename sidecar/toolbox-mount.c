/* A toolbox, mounted. See toolbox.h. In the scratch memory of mounts.h there is "lower" besides, where a file system image is mounted. */
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
	int r = mounts_scratch(ret_fd);

	if (r == 0 && mkdirat(*ret_fd, "lower", 0755) < 0)
		r = -errno;
	return r < 0 ? fail(t, r, "make a file system in memory", err) : 0;
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

/*
 * By numbers of descriptors below /proc/self/fd, as libinspect's rootfs/mount.c has it: 128 layers fit. No marks that another lower
 * tree would give another meaning: what is kept outlives the toolbox of today; nor is what an archive has for one followed.
 */
static char *options(const struct toolbox_lowers *l, int changes)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "index=off,metacopy=off,redirect_dir=nofollow,upperdir=%d/upper,workdir=%d/work",
		changes, changes);
	for (size_t i = l->n; i > 0; i--)
		fprintf(f, "%s%d", i == l->n ? ",lowerdir=" : ":", l->fd[i - 1]);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* Mounted on the directory for changes, from which it is taken at once. */
static int mount_at(const char *at, int changes, const char *data)
{
	int tree;

	if (mount("cdebug", at, "overlay", MS_NOSUID | MS_NODEV, data) < 0)
		return -errno;
	tree = sysc_open_tree(changes, "upper", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		tree = -errno;
	umount2(at, MNT_DETACH);
	return tree;
}

static int overlay(const struct toolbox_lowers *l, int changes, int *ret_tree)
{
	_cleanup_close_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *data = options(l, changes);
	int r = copy_mode(l->fd[l->n - 1], changes);
	char at[32];

	if (!data)
		return -ENOMEM;
	if (r == 0 && (back < 0 || chdir("/proc/self/fd") < 0))
		r = -errno;
	if (r < 0)
		return r;
	snprintf(at, sizeof(at), "%d/upper", changes);
	r = mount_at(at, changes, data);
	if (fchdir(back) < 0 && r >= 0) {
		close(r);
		return -errno;
	}
	if (r < 0)
		return r;
	*ret_tree = r;
	return 0;
}

static int add_lower(const struct toolbox *t, int fd, struct toolbox_lowers *l,
		     struct insp_err *err)
{
	if (fd < 0)
		return fail(t, -errno, "open it", err);
	l->fd[l->n++] = fd;
	return 0;
}

/* The directories that are the toolbox, in this mount namespace. */
static int open_lowers(const struct toolbox *t, int scratch, struct toolbox_lowers *l,
		       struct insp_err *err)
{
	int r;

	switch (t->kind) {
	case TOOLBOX_DIR:
		return add_lower(t, open(t->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
				 l, err);
	case TOOLBOX_SQUASHFS:
	case TOOLBOX_EROFS:
		r = toolbox_attach_image(t, scratch, "lower", err);
		return r
			       ?: add_lower(t,
					    openat(scratch, "lower",
						   O_RDONLY | O_DIRECTORY | O_CLOEXEC),
					    l, err);
	case TOOLBOX_ARCHIVE: return toolbox_unpack(t, scratch, l, err);
	case TOOLBOX_IMAGE: break; /* mount_image() */
	}
	return -EINVAL;
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
	struct toolbox_lowers l = { .n = 0 };
	int r = open_lowers(t, scratch, &l, err);

	if (r == 0) {
		r = overlay(&l, changes, ret_tree);
		if (r < 0)
			fail(t, r, "mount it", err);
	}
	for (size_t i = 0; i < l.n; i++)
		close(l.fd[i]);
	return r;
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
	mounts_leave_scratch(scratch);
	return r;
}
