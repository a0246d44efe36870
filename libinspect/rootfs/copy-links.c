/* Files with several names. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>

int copy_links_add(struct copy *c, const struct copy_from *from, int dirfd, const char *name,
		   const char *path)
{
	struct stat made;

	if (fstatat(dirfd, name, &made, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone already: its other names are copies */
	return links_add(&c->links, &from->node->st, copy_from_layer(from), path, &made);
}

/* The directory that has no name of its own yet: at most one on the way up. */
static const struct copy_into *unnamed(const struct copy_into *into)
{
	while (into && !*into->temp)
		into = into->up;
	return into;
}

/* The file below base, as an O_PATH fd; no link is followed. */
static int open_again(int base, const char *path, const struct copy_into *temp)
{
	_cleanup_close_ int at = fcntl(base, F_DUPFD_CLOEXEC, 3);

	if (at < 0)
		return -errno;
	while (true) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0';
		int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC | (last ? 0 : O_DIRECTORY), next;

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		next = openat(at, name, flags);
		if (next < 0 && temp && strcmp(temp->name, name) == 0)
			next = openat(at, temp->temp, flags);
		if (next < 0)
			return -ESTALE;
		util_close(at);
		at = next;
		if (last)
			return TAKE_FD(at);
		path += n + 1;
	}
}

int copy_links_make(int base, const struct link *link, struct copy_into *into, int dirfd,
		    const char *newname)
{
	_cleanup_close_ int fd = open_again(base, link->name, unnamed(into));
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != link->made_ino || st.st_dev != link->made_dev)
		return -ESTALE;
	/* by what was looked at: the name may be another's by now */
	return linkat(AT_FDCWD, io_fd_path(fd, NULL).s, dirfd, newname, AT_SYMLINK_FOLLOW) < 0
		       ? -errno
		       : 0;
}
