/* Whose rights count: capable_wrt_inode_uidgid() of kernel/capability.c, and what a mode gives to everybody. */
#include "libinspect/rootfs/view.h"

#include "libinspect/base/util.h"

#include <sys/xattr.h>

#define ACL "system.posix_acl_access"

static bool has(const struct idmap *m, uint32_t id)
{
	return idmap_to_inside(m, id) != UINT32_MAX;
}

static bool is_own(const struct view_rights *rights, const struct stat *st)
{
	return st->st_uid == rights->owner ||
	       (has(&rights->ids->uids, st->st_uid) && has(&rights->ids->gids, st->st_gid));
}

/* What a mode gives to everybody: whoever is in the group has the group's bits, and not those for others. */
static unsigned everybodys(mode_t mode)
{
	return mode & mode >> 3;
}

int rights_check(const struct view_rights *rights, const struct stat *st, unsigned want)
{
	if (!rights || is_own(rights, st))
		return 0;
	return want & (~everybodys(st->st_mode) | RIGHTS_OWN) ? -EACCES : 0;
}

int rights_fd(const struct view_rights *rights, int fd, unsigned want)
{
	struct stat st;
	int r;

	if (!rights)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = rights_check(rights, &st, want);
	/* a list may take from somebody what the mode gives to others */
	return r == 0 && !is_own(rights, &st) && fgetxattr(fd, ACL, NULL, 0) > 0 ? -EACCES : r;
}
