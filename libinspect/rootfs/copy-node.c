/* One file that is no directory. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <sys/sysmacros.h>

/* Its mode and attributes are those of what was opened: another file's data must not get a setuid bit of this one's. */
static int make_regular(struct copy *c, const struct copy_from *from, int dirfd, const char *name)
{
	_cleanup_close_ int in = -EBADF, top = -EBADF, out = -EBADF;
	struct view_node node = *from->node;
	struct copy_meta meta;
	struct stat data;
	int r = view_open_as(from->dir, from->name, &node, &in, &top);

	if (r < 0)
		return r;
	data = node.st;
	if (top >= 0 && fstat(in, &data) < 0)
		return -errno;
	out = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	copy_meta_of(c, &node.st, &meta);
	r = copy_data(c, in, out, &data);
	if (r == 0)
		r = copy_meta_apply(out, &meta);
	if (r == 0)
		r = copy_xattrs(c, from->dir, from->name, &node, top >= 0 ? top : in, out);
	/* what the file system says late (NFS, quota) */
	if (r == 0 && close(TAKE_FD(out)) < 0)
		r = -errno;
	return r;
}

int copy_make_special(const struct copy *c, mode_t mode, dev_t rdev, const char *target, int dirfd,
		      const char *name)
{
	if (S_ISLNK(mode))
		return target && symlinkat(target, dirfd, name) == 0 ? 0
		       : target					     ? -errno
								     : -EINVAL;
	if (!S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode))
		return -EINVAL;
	/* 0:0 would be a whiteout: overlay refuses it, too */
	if (S_ISCHR(mode) && rdev == makedev(0, 0) && c->to_marks)
		return -EPERM;
	return mknodat(dirfd, name, (mode & S_IFMT) | 0600, rdev) < 0 ? -errno : 0;
}

/* What is neither file nor directory. */
static int make_other(struct copy *c, const struct copy_from *from, int dirfd, const char *name)
{
	const struct stat *st = &from->node->st;
	_cleanup_free_ char *target = NULL;
	struct copy_meta meta;
	int r = 0;

	if (S_ISLNK(st->st_mode))
		r = view_readlink(from->dir, from->name, from->node, &target);
	if (r < 0)
		return r == -EINVAL ? -ESTALE : r;
	r = copy_make_special(c, st->st_mode, st->st_rdev, target, dirfd, name);
	if (r < 0)
		return r;
	copy_meta_of(c, st, &meta);
	return copy_meta_apply_at(dirfd, name, &meta);
}

bool copy_is_left_out(struct copy *c, mode_t mode)
{
	if (S_ISSOCK(mode))
		c->result->sockets++;
	else if ((S_ISBLK(mode) || S_ISCHR(mode)) && !c->opts->devices)
		c->result->devices++;
	else
		return false;
	return true;
}

unsigned copy_from_layer(const struct copy_from *from)
{
	return from->dir->parts[from->node->part].layer;
}

/* It may be a name of what was made already. -ENOENT: it is none. */
static int make_again(struct copy *c, const struct copy_from *from, struct copy_into *into,
		      int base, int dirfd, const char *name)
{
	const struct stat *st = &from->node->st;
	const struct link *link =
		st->st_nlink > 1 ? links_find(&c->links, st, copy_from_layer(from)) : NULL;
	int r = link ? copy_links_make(base, link, into, dirfd, name) : -ENOENT;

	/* too many names, or it went meanwhile: a copy then */
	return r == -EMLINK || r == -ESTALE || r == -EXDEV || r == -EPERM ? -ENOENT : r;
}

static int make(struct copy *c, const struct copy_from *from, struct copy_into *into, int base,
		int dirfd, const char *name)
{
	int r = make_again(c, from, into, base, dirfd, name);

	if (r != -ENOENT)
		return r;
	return S_ISREG(from->node->st.st_mode) ? make_regular(c, from, dirfd, name)
					       : make_other(c, from, dirfd, name);
}

int copy_node_again(struct copy *c, const struct copy_from *from, int dirfd, const char *name)
{
	const struct view_part *part = &from->dir->parts[from->node->part];
	const struct view_rights *rights = from->dir->view->layers[0].rights;
	struct stat st; /* of the host's ids */

	if (part->layer == 0 && fstatat(part->fd, from->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    rights_check(rights, &st, RIGHTS_OWN) == 0 &&
	    linkat(part->fd, from->name, dirfd, name, 0) == 0)
		return 0;
	return make_regular(c, from, dirfd, name);
}

int copy_node(struct copy *c, const struct copy_from *from, struct copy_into *into, int base,
	      const char *name, const char *path)
{
	const struct stat *st = &from->node->st;
	char temp[NAME_MAX + 1];
	struct view_node there;
	int dirfd, r;

	if (copy_is_left_out(c, st->st_mode))
		return 1;
	r = copy_into_lookup(into, name, &there);
	if (r == 0 && S_ISDIR(there.st.st_mode))
		return -EISDIR;
	if (r < 0 && r != -ENOENT)
		return r;
	r = copy_into_begin(into, name, temp, &dirfd);
	if (r < 0)
		return r;
	r = make(c, from, into, base, dirfd, temp);
	if (r == 0)
		r = copy_into_place_file(into, temp, name);
	if (r < 0) {
		if (r != -EEXIST)
			copy_into_drop(into, temp);
		return r;
	}
	c->result->files++;
	return st->st_nlink > 1 ? copy_links_add(c, from, dirfd, name, path) : 0;
}

int copy_dir_attrs(const struct copy *c, const struct copy_from *from, struct copy_into *into)
{
	int fd = copy_into_own_fd(into), r;
	struct copy_meta meta;

	if (fd < 0)
		return fd;
	copy_meta_of(c, &from->node->st, &meta);
	r = copy_xattrs(c, from->dir, from->name, from->node, -EBADF, fd);
	return r < 0 ? r : copy_meta_apply(fd, &meta);
}
