/* Files with several names. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <search.h>

static int by_inode(const void *a, const void *b)
{
	const struct copy_link *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->dev < y->dev ? -1 : x->dev > y->dev;
}

const struct copy_link *copy_links_find(const struct copy_links *links, const struct stat *st)
{
	struct copy_link key = { .dev = st->st_dev, .ino = st->st_ino };
	void *const *found = tfind(&key, &links->tree, by_inode);

	return found ? *found : NULL;
}

int copy_links_add(struct copy_links *links, const struct stat *st, int dirfd, const char *name,
		   const char *path)
{
	size_t len = strlen(path) + 1;
	struct copy_link *link = malloc(sizeof(*link) + len);
	struct copy_link *const *found;
	struct stat made;

	if (!link)
		return -ENOMEM;
	if (fstatat(dirfd, name, &made, AT_SYMLINK_NOFOLLOW) < 0) {
		free(link);
		return 0; /* gone already: its other names are copies */
	}
	*link = (struct copy_link){ .dev = st->st_dev,
				    .ino = st->st_ino,
				    .made_dev = made.st_dev,
				    .made_ino = made.st_ino };
	memcpy(link->path, path, len);
	found = tsearch(link, &links->tree, by_inode);
	if (!found || *found != link) /* another of its names is there already */
		free(link);
	return found ? 0 : -ENOMEM;
}

void copy_links_clear(struct copy_links *links)
{
	while (links->tree) {
		struct copy_link *link = *(struct copy_link **)links->tree;

		tdelete(link, &links->tree, by_inode);
		free(link);
	}
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

int copy_links_make(int base, const struct copy_link *link, struct copy_into *into, int dirfd,
		    const char *newname)
{
	_cleanup_close_ int fd = open_again(base, link->path, unnamed(into));
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
