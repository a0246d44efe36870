#include "libinspect/engines/daemon.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

#include <sys/stat.h>

static bool shares(const struct insp_sys *sys, pid_t pid, enum insp_ns_type type)
{
	uint64_t ino;

	return pid_ns_inode(sys->procfd, pid, type, &ino) == 0 && ino == sys->self_ns.ino[type];
}

static bool same_root(const struct insp_sys *sys, const char *link)
{
	struct stat theirs, ours;

	return fstatat(sys->procfd, link, &theirs, 0) == 0 && fstat(sys->rootfd, &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

int daemon_prefix(const struct insp_sys *sys, pid_t pid, char **ret)
{
	struct stat st;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d", (int)pid);
	if (!sys->live || fstatat(sys->procfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_uid != 0 || !shares(sys, pid, INSP_NS_PID) || !shares(sys, pid, INSP_NS_USER))
		return -EPERM;
	snprintf(path, sizeof(path), "%d/root", (int)pid);
	if (same_root(sys, path)) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	/* a chroot's path is this host's when they share the mounts */
	if (!shares(sys, pid, INSP_NS_MNT))
		return -EPERM;
	r = io_readlink(sys->procfd, path, ret);
	return r == -ENOMEM ? r : r < 0 ? -EPERM : 0;
}
