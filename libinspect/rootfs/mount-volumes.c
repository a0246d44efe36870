/*
 * What a stopped container's configuration mounts into it, mounted in a tree that mount.c gave. Where it goes is looked up
 * below the tree's root as a process chrooted there would, and what is mounted on is what was found, by its descriptor:
 * whatever links the container's files have, nothing is mounted outside them.
 */
#include "libinspect/rootfs/volumes.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/sysc.h"

#include <sys/mount.h>

struct into {
	const struct insp_files *files;
	int root; /* where the tree is attached */
	bool write;
};

/* The next component's end in path, which at is in; at the end of path that. */
static char *component_end(char *at)
{
	return at + strcspn(at, "/");
}

/* What is missing of a mount point: a directory, or for a single file one without bytes. */
static int make(int dirfd, const char *name, bool dir)
{
	int r = dir ? mkdirat(dirfd, name, 0755) : mknodat(dirfd, name, S_IFREG | 0644, 0);

	return r < 0 ? -errno : 0;
}

/* path's last component is missing in dirfd. */
static int open_made(const struct into *t, int dirfd, const char *path, const char *name, bool dir)
{
	/* what is written to would keep it */
	int r = t->write ? -ENOENT : make(dirfd, name, dir);

	return r < 0 ? r : insp_open_in_root(t->root, path, O_PATH, 0);
}

/* The mount point of v, made as runtimes make it (runc, MkdirAll 0755) where the layers lack it. O_PATH. */
static int open_point(const struct into *t, const struct volume *v)
{
	_cleanup_free_ char *path = str_dup(v->path);
	_cleanup_close_ int parent = insp_open_in_root(t->root, "/", O_PATH, 0);

	if (!path || parent < 0)
		return path ? parent : -ENOMEM;
	for (char *name = path + 1; *name;) {
		char *end = component_end(name), sep = *end;
		int fd;

		*end = '\0';
		fd = insp_open_in_root(t->root, path, O_PATH, 0);
		if (fd == -ENOENT)
			fd = open_made(t, parent, path, name, sep || !v->name);
		if (fd < 0)
			return fd;
		util_close(parent);
		parent = fd;
		*end = sep;
		name = end + (sep != '\0');
	}
	return TAKE_FD(parent);
}

/* Its directory or file as a mount of its own, with nothing that is mounted below. */
static int clone(const struct into *t, const struct volume *v)
{
	struct sysc_mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME |
			    (t->write && !v->mount->read_only ? 0 : MOUNT_ATTR_RDONLY),
		.attr_clr = MOUNT_ATTR__ATIME,
		.propagation = MS_PRIVATE,
	};
	_cleanup_close_ int fd = volume_open(t->files, v);
	_cleanup_close_ int tree = -EBADF;

	if (fd < 0)
		return fd;
	tree = sysc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0 || sysc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return -errno;
	return TAKE_FD(tree);
}

static int attach(const struct into *t, const struct volume *v)
{
	_cleanup_close_ int tree = -EBADF, point = -EBADF;

	if (v->error)
		return v->error;
	if (strcmp(v->path, "/") == 0)
		return -EBUSY;
	tree = clone(t, v);
	if (tree < 0)
		return tree;
	point = open_point(t, v);
	if (point < 0)
		return point;
	return sysc_move_mount(tree, point) < 0 ? -errno : 0;
}

int insp_mount_volumes(struct insp_sys *sys, const struct insp_container *c, int root, bool write,
		       struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_volumes_ struct volumes volumes = { 0 };
	struct insp_files *files = NULL;
	int r = c->n_mounts ? insp_files_open(sys, c, INSP_FILES_LAYERS, &files, err) : 0;
	struct into t = { files, root, write };

	if (!files)
		return r;
	r = volumes_open(files, true, &volumes);
	if (r < 0)
		insp_err_set(err, r, "%s container %s: look at its volumes", c->engine, c->name);
	for (size_t i = 0; r == 0 && i < volumes.n; i++) {
		struct insp_err w = { 0 };
		int e = attach(&t, &volumes.items[i]);

		if (e == 0)
			continue;
		volume_say(&volumes.items[i], e, "mount", &w);
		insp_diags_add(diags, &w);
	}
	insp_files_close(files);
	return r;
}
