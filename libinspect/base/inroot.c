/*
 * Opening a path below a container's root as a process chrooted there would see it.
 *
 * openat2(RESOLVE_IN_ROOT) does it in the kernel. Where that call is missing (compat: kernel < 5.6) or filtered, the
 * path is walked component by component with O_PATH | O_NOFOLLOW: each step opens one name below an fd that is held,
 * so that a container that swaps links meanwhile can only change which of its own files is found. ".." goes back
 * along the fds of the walk, never by asking the kernel, so a directory moved out of the tree cannot be followed out.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#define MAX_LINKS 40 /* as the kernel: MAXSYMLINKS */
#define MAX_DEPTH 512

struct walk {
	int fds[MAX_DEPTH]; /* fds[0] is the root (borrowed), the last one where we are */
	size_t depth;
	char *rest; /* what is still to be resolved */
	int links;
};

static void walk_pop(struct walk *w)
{
	if (w->depth > 1)
		util_close(w->fds[--w->depth]);
}

static void walk_free(struct walk *w)
{
	while (w->depth > 1)
		walk_pop(w);
	free(w->rest);
}

/*
 * /proc links (fd, cwd, exe, ns) would lead out of the root: RESOLVE_NO_MAGICLINKS. Those in procfs' own root (self,
 * mounts, net) are plain text; its inode is 1 (PROC_ROOT_INO in the kernel's proc_ns.h).
 */
static bool is_magic(int parent, int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	return fstat(parent, &st) < 0 || st.st_ino != 1;
}

/* Puts a link's target before what is left of the path. */
static int walk_follow(struct walk *w, int linkfd)
{
	_cleanup_free_ char *target = NULL;
	char *rest;
	int r;

	if (++w->links > MAX_LINKS || is_magic(w->fds[w->depth - 1], linkfd))
		return -ELOOP;
	r = io_readlink(linkfd, "", &target);
	if (r < 0)
		return r;
	if (target[0] == '/')
		while (w->depth > 1)
			walk_pop(w);
	/* a slash at the very end means something: the link must lead to a directory */
	rest = str_format("%s%s%s", target, w->rest[0] ? "/" : "", w->rest);
	if (!rest)
		return -ENOMEM;
	free(w->rest);
	w->rest = rest;
	return strlen(rest) >= 4 * PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Cuts the next component off w->rest into name; false at the end. last: nothing but slashes follows. */
static bool walk_next(struct walk *w, char *name, bool *last, int *error)
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");

	*error = 0;
	if (n == 0)
		return false;
	if (n > NAME_MAX) {
		*error = -ENAMETOOLONG;
		return false;
	}
	memcpy(name, p, n);
	name[n] = '\0';
	p += n;
	*last = p[strspn(p, "/")] == '\0';
	memmove(w->rest, p, strlen(p) + 1);
	return true;
}

/* One directory or link in the middle of the path. */
static int walk_step(struct walk *w, const char *name)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		walk_pop(w);
		return 0;
	}
	fd = openat(w->fds[w->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return walk_follow(w, fd);
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (w->depth == MAX_DEPTH)
		return -ENAMETOOLONG;
	w->fds[w->depth++] = TAKE_FD(fd);
	return 0;
}

/* The last component. -EAGAIN: it was a link, go on walking. */
static int walk_last(struct walk *w, const char *name, int flags, mode_t mode)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int at = w->fds[w->depth - 1], r;

	if (w->rest[0] == '/') { /* as the kernel: followed, and a directory */
		if (flags & O_CREAT)
			return -EISDIR;
		flags = (flags & ~O_NOFOLLOW) | O_DIRECTORY;
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[1])
			walk_pop(w);
		at = w->fds[w->depth - 1];
		fd = openat(at, ".", (flags & ~O_CREAT) | O_CLOEXEC);
		return fd < 0 ? -errno : TAKE_FD(fd);
	}
	fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode) && !(flags & O_NOFOLLOW)) {
		if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return -EEXIST;
		r = walk_follow(w, fd);
		return r < 0 ? r : -EAGAIN;
	}
	fd = util_close(fd);
	/* O_NOFOLLOW: should it have become a link since, that is -ELOOP and no way out */
	fd = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : TAKE_FD(fd);
}

static int walk_open(struct walk *w, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	bool last;
	int r, error;

	while (walk_next(w, name, &last, &error)) {
		r = last ? walk_last(w, name, flags, mode) : walk_step(w, name);
		if (last && r != -EAGAIN)
			return r;
		if (!last && r < 0)
			return r;
	}
	if (error)
		return error;
	/* "/" itself, or a path that ended in a link to it */
	r = openat(w->fds[w->depth - 1], ".", (flags & ~O_CREAT) | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* compat: kernel < 5.6, and sandboxes that filter openat2 */
static int open_by_walk(int rootfd, const char *path, int flags, mode_t mode)
{
	struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fds[0] = rootfd;
	w->depth = 1;
	w->rest = strdup(path);
	r = w->rest ? walk_open(w, flags, mode) : -ENOMEM;
	walk_free(w);
	free(w);
	return r;
}

int insp_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	int fd;

	if (!*path)
		return -ENOENT;
	fd = io_openat2_in_root(rootfd, path, flags, mode);
	/* a seccomp filter that does not know the call answers EPERM (docker < 20.10) */
	if (fd == -ENOSYS || fd == -EPERM)
		return open_by_walk(rootfd, path, flags, mode);
	return fd;
}

int insp_open_regular_in_root(int rootfd, const char *path)
{
	_cleanup_close_ int probe = insp_open_in_root(rootfd, path, O_PATH, 0);
	_cleanup_close_ int fd = -EBADF;
	struct stat before, st;

	if (probe < 0)
		return probe;
	if (fstat(probe, &before) < 0)
		return -errno;
	/* looked at before it is opened: opening a device or a FIFO has effects of its own */
	if (!S_ISREG(before.st_mode))
		return -EBADF;
	fd = insp_open_in_root(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	return TAKE_FD(fd);
}
