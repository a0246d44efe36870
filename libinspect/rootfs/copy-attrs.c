/* Owner, mode, times and extended attributes of what is made. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <sys/xattr.h>

void copy_ids_of(const struct insp_files *files, const struct view *written, struct copy_ids *ret)
{
	const struct view_ids *ids = NULL;

	if (files && files->from == INSP_FILES_LIVE)
		ids = files->ids;
	else if (files && written && written->n > 0)
		ids = written->layers[0].ids;
	*ret = (struct copy_ids){ .mapped = ids };
	if (ids) {
		ret->uids = ids->uids;
		ret->gids = ids->gids;
	}
}

static uint32_t translate(uint32_t id, const struct copy_ids *from, const struct copy_ids *to,
			  bool group, uint32_t otherwise)
{
	if (from->mapped)
		id = idmap_to_inside(group ? &from->gids : &from->uids, id);
	if (to->mapped && id != UINT32_MAX)
		id = idmap_to_outside(group ? &to->gids : &to->uids, id);
	return id == UINT32_MAX ? otherwise : id;
}

void copy_meta_of(const struct copy *c, const struct stat *st, struct copy_meta *ret)
{
	*ret = (struct copy_meta){ .mode = st->st_mode,
				   .uid = c->owner_uid,
				   .gid = c->owner_gid,
				   .times = { st->st_atim, st->st_mtim } };
	if (c->no_set_ids && S_ISREG(st->st_mode) && (st->st_mode & (S_ISUID | S_ISGID))) {
		ret->mode &= ~(mode_t)(S_ISUID | S_ISGID);
		c->result->set_ids++;
	}
	if (!c->keep_ids)
		return;
	ret->uid = translate(st->st_uid, &c->from, &c->to, false, c->owner_uid);
	ret->gid = translate(st->st_gid, &c->from, &c->to, true, c->owner_gid);
}

/* A user who is not root has no say in it, and cp -a does not complain either. */
static bool is_not_ours_to_say(int error)
{
	return error == EPERM && geteuid() != 0;
}

int copy_meta_apply(int fd, const struct copy_meta *m)
{
	if (fchown(fd, m->uid, m->gid) < 0 && !is_not_ours_to_say(errno))
		return -errno;
	/* after the owner: fchown() takes setuid bits away */
	if (fchmod(fd, m->mode & 07777) < 0)
		return -errno;
	return futimens(fd, m->times) < 0 ? -errno : 0;
}

int copy_meta_apply_at(int dirfd, const char *name, const struct copy_meta *m)
{
	const struct view_layer layer = { .one_mount = true };
	_cleanup_close_ int fd = view_openat(&layer, dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct io_fd_path path;
	struct stat st;

	/* a file that a container mounts there meanwhile may be the host's */
	if (fd < 0)
		return fd == -EXDEV ? -ESTALE : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* it was made a moment ago and has one name: another's file, put there instead, has its own or more */
	if ((st.st_mode & S_IFMT) != (m->mode & S_IFMT) || st.st_nlink != 1)
		return -ESTALE;
	if (fchownat(fd, "", m->uid, m->gid, AT_EMPTY_PATH) < 0 && !is_not_ours_to_say(errno))
		return -errno;
	path = io_fd_path(fd, NULL);
	if (!S_ISLNK(m->mode) && chmod(path.s, m->mode & 07777) < 0)
		return -errno;
	if (S_ISLNK(m->mode)) /* AT_EMPTY_PATH: compat: kernel < 5.8 */
		return utimensat(dirfd, name, m->times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	return utimensat(AT_FDCWD, path.s, m->times, 0) < 0 ? -errno : 0;
}

/* ---- attributes ---- */

/*
 * docker cp carries file capabilities and nothing else; user.* is data like any other. ACLs and what is trusted.* only where
 * ids are kept, and ACLs only where they need no translation.
 */
bool copy_xattr_is_copied(const struct copy *c, const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return !c->no_set_ids;
	if (str_starts(name, "user."))
		return true;
	if (!c->keep_ids)
		return false;
	if (str_starts(name, "system.posix_acl_"))
		return !c->from.mapped && !c->to.mapped;
	return str_starts(name, "trusted.");
}

/* What a layer takes for a mark of its own, the container's own attribute being so called. */
static const char *escaped(unsigned marks, const char *name, char buf[XATTR_NAME_MAX + 1])
{
	static const struct {
		unsigned mark;
		const char *prefix;
	} kinds[] = {
		{ VIEW_TRUSTED, "trusted.overlay." },
		{ VIEW_USER, "user.overlay." },
	};

	if ((marks & VIEW_FUSE) && str_starts(name, "user.fuseoverlayfs."))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = marks & kinds[i].mark ? str_after(name, kinds[i].prefix) : NULL;

		if (!rest)
			continue;
		/* Documentation/filesystems/overlayfs.rst, "Nesting overlayfs mounts" */
		if (snprintf(buf, XATTR_NAME_MAX + 1, "%soverlay.%s", kinds[i].prefix, rest) >
		    XATTR_NAME_MAX)
			return NULL;
		return buf;
	}
	return name;
}

int copy_xattr_set(unsigned marks, int fd, const char *name, const void *value, size_t len)
{
	char buf[XATTR_NAME_MAX + 1];
	const char *real = escaped(marks, name, buf);

	if (!real || fsetxattr(fd, real, value, len, 0) == 0)
		return 0;
	/* where the file system or the user cannot: as cp -a */
	return errno == EOPNOTSUPP || errno == EPERM || errno == EINVAL ? 0 : -errno;
}

int copy_xattrs(const struct copy *c, const struct view_dir *dir, const char *name,
		const struct view_node *node, int fd_in, int fd)
{
	_cleanup_view_xattrs_ struct view_xattrs x = { 0 };
	int r;

	if (fd_in >= 0 && flistxattr(fd_in, NULL, 0) <= 0)
		return 0;
	r = fd_in >= 0 ? view_xattrs_of_fd(dir->view, fd_in, &x) : view_xattrs(dir, name, node, &x);
	for (size_t i = 0; i < x.n && r == 0; i++)
		if (copy_xattr_is_copied(c, x.items[i].name))
			r = copy_xattr_set(c->to_marks, fd, x.items[i].name, x.items[i].value,
					   x.items[i].len);
	return r;
}
