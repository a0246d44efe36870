/*
 * The entries of a directory, by getdents64(2): readdir(3) looks at the descriptor and its flags first, three calls more,
 * and cannot read one that stays the caller's. Listing small directories is most of what finding a container costs.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#define BUFFER (32 * 1024) /* as readdir(3): some thousand processes in a few calls */

struct io_dir {
	int fd;
	bool own;
	size_t at, len; /* of what the last call gave */
	char buf[BUFFER] __attribute__((aligned(__alignof__(struct dirent64))));
};

static int new_dir(int fd, bool own, struct io_dir **ret)
{
	struct io_dir *dir = malloc(sizeof(*dir));

	if (!dir)
		return -ENOMEM;
	dir->fd = fd;
	dir->own = own;
	dir->at = dir->len = 0;
	*ret = dir;
	return 0;
}

int io_opendir(int dirfd, const char *path, struct io_dir **ret)
{
	int fd = io_open_dir(dirfd, path), r;

	if (fd < 0)
		return fd;
	r = new_dir(fd, true, ret);
	if (r < 0)
		util_close(fd);
	return r;
}

int io_dir_of(int fd, struct io_dir **ret)
{
	return new_dir(fd, false, ret);
}

void io_closedir(struct io_dir *dir)
{
	if (dir && dir->own)
		util_close(dir->fd);
	free(dir);
}

int io_dirfd(const struct io_dir *dir)
{
	return dir->fd;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

const struct dirent64 *io_readdir(struct io_dir *dir)
{
	const struct dirent64 *de;

	do {
		if (dir->at == dir->len) {
			ssize_t n = getdents64(dir->fd, dir->buf, sizeof(dir->buf));

			/* one that was removed has no entries any more */
			if (n <= 0)
				return NULL;
			dir->at = 0;
			dir->len = (size_t)n;
		}
		de = (const struct dirent64 *)(dir->buf + dir->at);
		dir->at += de->d_reclen;
	} while (is_dot(de->d_name));
	return de;
}
