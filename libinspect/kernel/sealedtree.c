#include "libinspect/kernel/sealedtree.h"

#include "libinspect/base/util.h"
#include "libinspect/sysc.h"

int sealedtree_open(int dirfd)
{
	struct sysc_mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME,
		.attr_clr = MOUNT_ATTR__ATIME,
	};
	_cleanup_close_ int tree = -EBADF;
	int fd;

	tree = sysc_open_tree(dirfd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return -errno;
	if (sysc_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return -errno;
	/* open_tree() gives an O_PATH fd; the one that is read from keeps the mount as well */
	fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
