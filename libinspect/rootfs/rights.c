/* Whose rights count: capable_wrt_inode_uidgid() of kernel/capability.c, and the bits for others of a mode. */
#include "libinspect/rootfs/view.h"

#include "libinspect/base/util.h"

static bool has(const struct idmap *m, uint32_t id)
{
	return idmap_to_inside(m, id) != UINT32_MAX;
}

int rights_check(const struct view_rights *rights, const struct stat *st, unsigned want)
{
	if (!rights || st->st_uid == rights->owner ||
	    (has(&rights->ids->uids, st->st_uid) && has(&rights->ids->gids, st->st_gid)))
		return 0;
	return want & (~st->st_mode | RIGHTS_OWN) ? -EACCES : 0;
}

int rights_fd(const struct view_rights *rights, int fd, unsigned want)
{
	struct stat st;

	if (!rights)
		return 0;
	return fstat(fd, &st) < 0 ? -errno : rights_check(rights, &st, want);
}
