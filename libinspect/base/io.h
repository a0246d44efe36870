/*
 * Bounded reading below a directory fd. Files here belong to engines, to other users or to a container: they may
 * be links, FIFOs, devices, endless, or change while they are read.
 */
#ifndef SONDE_BASE_IO_H
#define SONDE_BASE_IO_H

#include "libinspect/inspect.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

/* Whole-file limits. A state file above its limit is refused, not cut. */
#define IO_SMALL_MAX (64 * 1024)	/* pid files, /proc/PID/stat, status */
#define IO_STATE_MAX (16 * 1024 * 1024) /* JSON state of an engine */
#define IO_PROC_MAX  (4 * 1024 * 1024)	/* mountinfo: 500 layers, thousands of mounts */

struct io_buf {
	char *data; /* len bytes and a NUL behind them */
	size_t len;
};
void io_buf_free(struct io_buf *b);
#define _cleanup_io_buf_ _cleanup_(io_buf_free)

/*
 * Opens a regular file below dirfd for reading: O_NOFOLLOW, O_NONBLOCK. fd or -errno: -EINVAL for what is no regular file,
 * which is not opened, -ELOOP, -EISDIR. What was put there meanwhile is opened all the same: fstat() before use.
 */
int io_open_regular(int dirfd, const char *path);
/*
 * Reads the regular file path below dirfd whole. O_NOFOLLOW on the last component, O_NONBLOCK; -ELOOP for a
 * link, -EINVAL for what is no regular file, -EFBIG above max. err names the path, quoted.
 */
int io_read_file(int dirfd, const char *path, size_t max, struct io_buf *ret, struct insp_err *err);
/* The same for files of procfs and sysfs: no size is known, links are followed by the kernel only. Cut at max. */
int io_read_proc(int dirfd, const char *path, size_t max, struct io_buf *ret);
/* Into a caller's buffer; NUL-terminated; returns the length (cut at size - 1) or -errno. No allocation. */
ssize_t io_read_small(int dirfd, const char *path, char *buf, size_t size);
/* The same of a file on a disk, where it could also be a device: -EINVAL for what is no regular file, -ELOOP, -EISDIR. */
ssize_t io_read_small_file(int dirfd, const char *path, char *buf, size_t size);
/* Everything from an open fd, up to max (-EFBIG above). */
int io_read_fd(int fd, size_t max, struct io_buf *ret);
/*
 * The same from where fd is in a regular file on a disk: its size is looked at, so that one read does. -EISDIR or -EINVAL for
 * what is none. Not for procfs, whose files have no size.
 */
int io_read_regular(int fd, size_t max, struct io_buf *ret);
/*
 * The regular file path below a container's root, read by a forked child: a file system that the container serves
 * itself (FUSE) may never answer. -ETIMEDOUT after deadline_ms, -EFBIG above max, -EBADF for what is no regular file.
 */
#define IO_CONTAINER_DEADLINE_MS 500
int io_read_in_root(int rootfd, const char *path, size_t max, unsigned deadline_ms,
		    struct io_buf *ret);
/* Closes every descriptor from first on: in a child that must hold nothing while it hangs. */
void io_close_from(unsigned first);
/* Milliseconds of the monotonic clock, for deadlines. */
int64_t io_now_ms(void);
/* Reads until buf is full or the file ends: how many bytes there were from at on, or -errno. */
ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t at);
/* Writes all bytes. */
int io_write_all(int fd, const void *data, size_t len);

/* readlinkat into a new string (free()). -ENAMETOOLONG above PATH_MAX. */
int io_readlink(int dirfd, const char *path, char **ret);

/* Opens a directory below dirfd: O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC. fd or -errno. */
int io_open_dir(int dirfd, const char *path);
/*
 * An O_PATH fd on path, without "." and "..", below dirfd, also where it is absolute. No link is followed: one on the way is
 * -ENOTDIR, a last one is what is opened. fd or -errno.
 */
int io_open_no_links(int dirfd, const char *path);

/* "/proc/self/fd/N" or "/proc/self/fd/N/NAME" (name NULL: none): for calls that take no fd, or no directory's. */
struct io_fd_path {
	char s[32 + NAME_MAX];
};
struct io_fd_path io_fd_path(int fd, const char *name);

/* Whether two files are one. */
static inline bool io_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* The entries of a directory. */
struct io_dir;
/* Of the one at path below dirfd, opened as by io_open_dir(). io_closedir() it. -errno. */
int io_opendir(int dirfd, const char *path, struct io_dir **ret);
/*
 * Of the one that fd is open on, for reading (not O_PATH), of which nothing was read before. fd stays the caller's, and must
 * stay open. io_closedir() it. -ENOMEM.
 */
int io_dir_of(int fd, struct io_dir **ret);
/*
 * The next entry but "." and "..", valid until the next call; NULL: no more, or they cannot be read. d_type may be
 * DT_UNKNOWN.
 */
const struct dirent64 *io_readdir(struct io_dir *dir);
int io_dirfd(const struct io_dir *dir);
void io_closedir(struct io_dir *dir); /* NULL: nothing */

static inline void io_closedirp(struct io_dir **dir)
{
	io_closedir(*dir);
}
#define _cleanup_io_dir_ __attribute__((cleanup(io_closedirp)))
#define for_each_entry(de, dir) \
	for (const struct dirent64 *de = io_readdir(dir); de; de = io_readdir(dir))

/*
 * openat2(2) by number, with the fallback walk. resolve-in-root semantics of insp_open_in_root() live in
 * inroot.c; this is only the raw call: -ENOSYS where the kernel or a seccomp filter lacks it.
 */
int io_openat2_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* The same without leaving the root's own file system: -EXDEV where the path leads to another mount. */
int io_openat2_one_mount(int rootfd, const char *path, int flags);
/*
 * The same of one component, with flags that do not make it. compat: kernel < 5.6, or a filter: it is opened, and -EXDEV when it is on
 * another mount than dirfd; without /proc only on another file system.
 */
int io_open_one_mount(int dirfd, const char *name, int flags);

#endif
