/* One file that is no directory. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/util.h"

#include <limits.h>
#include <sys/sysmacros.h>

static int make_regular(struct copy *c, const struct copy_from *from, int dirfd, const char *name)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF;
	struct copy_meta meta;
	struct stat st;
	int r = view_open(from->dir, from->name, from->node, &in);

	if (r < 0)
		return r;
	if (fstat(in, &st) < 0)
		return -errno;
	out = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	copy_meta_of(c, &from->node->st, &meta);
	r = copy_data(c, in, out, &st);
	if (r == 0)
		r = copy_meta_apply(out, &meta);
	if (r == 0)
		r = copy_xattrs(c, from->dir, from->name, from->node, in, out);
	/* what the file system says late (NFS, quota) */
	if (r == 0 && close(TAKE_FD(out)) < 0)
		r = -errno;
	return r;
}

static int make_link(const struct copy_from *from, int dirfd, const char *name)
{
	_cleanup_free_ char *target = NULL;
	int r = view_readlink(from->dir, from->name, from->node, &target);

	if (r < 0)
		return r == -EINVAL ? -ESTALE : r;
	return symlinkat(target, dirfd, name) < 0 ? -errno : 0;
}

/* What is neither file nor directory. 1: left out. */
static int make_other(struct copy *c, const struct copy_from *from, int dirfd, const char *name)
{
	const struct stat *st = &from->node->st;
	struct copy_meta meta;
	int r = 0;

	if (S_ISLNK(st->st_mode)) {
		r = make_link(from, dirfd, name);
	} else {
		/* 0:0 would be a whiteout: overlay refuses it, too */
		if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0) && c->to_marks)
			return -EPERM;
		r = mknodat(dirfd, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno
											 : 0;
	}
	if (r < 0)
		return r;
	copy_meta_of(c, st, &meta);
	return copy_meta_apply_at(dirfd, name, &meta);
}

static bool is_left_out(struct copy *c, mode_t mode)
{
	if (S_ISSOCK(mode))
		c->result->sockets++;
	else if ((S_ISBLK(mode) || S_ISCHR(mode)) && !c->opts->devices)
		c->result->devices++;
	else
		return false;
	return true;
}

/* It may be a name of what was made already. -ENOENT: it is none. */
static int make_again(struct copy *c, const struct stat *st, struct copy_into *into, int base,
		      int dirfd, const char *name)
{
	const struct copy_link *link = st->st_nlink > 1 ? copy_links_find(&c->links, st) : NULL;
	int r = link ? copy_links_make(base, link, into, dirfd, name) : -ENOENT;

	/* too many names, or it went meanwhile: a copy then */
	return r == -EMLINK || r == -ESTALE || r == -EXDEV || r == -EPERM ? -ENOENT : r;
}

static int make(struct copy *c, const struct copy_from *from, struct copy_into *into, int base,
		int dirfd, const char *name)
{
	int r = make_again(c, &from->node->st, into, base, dirfd, name);

	if (r != -ENOENT)
		return r;
	return S_ISREG(from->node->st.st_mode) ? make_regular(c, from, dirfd, name)
					       : make_other(c, from, dirfd, name);
}

int copy_node(struct copy *c, const struct copy_from *from, struct copy_into *into, int base,
	      const char *name, const char *path)
{
	const struct stat *st = &from->node->st;
	char temp[NAME_MAX + 1];
	struct view_node there;
	int dirfd, r;

	if (is_left_out(c, st->st_mode))
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
	return st->st_nlink > 1 ? copy_links_add(&c->links, st, dirfd, name, path) : 0;
}

int copy_dir_attrs(const struct copy *c, const struct copy_from *from, struct copy_into *into)
{
	int fd = copy_into_fd(into), r;
	struct copy_meta meta;

	if (fd < 0)
		return fd;
	copy_meta_of(c, &from->node->st, &meta);
	r = copy_xattrs(c, from->dir, from->name, from->node, -EBADF, fd);
	return r < 0 ? r : copy_meta_apply(fd, &meta);
}
