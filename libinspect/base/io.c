#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

void io_buf_free(struct io_buf *b)
{
	free(b->data);
	*b = (struct io_buf){ 0 };
}

/*
 * Reads until the end or until max + 1 bytes are there. first: a guess of the size. regular: a read that gives less than
 * was asked for has met the end; elsewhere only one that gives nothing has.
 */
static int read_up_to(int fd, size_t max, size_t first, bool regular, struct io_buf *ret)
{
	_cleanup_free_ char *buf = NULL;
	size_t cap = 0, len = 0;

	for (;;) {
		size_t room;
		ssize_t n;

		if (len + 1 >= cap) {
			char *bigger;

			cap = MIN_OF(MAX_OF(cap * 2, first + 2), max + 2);
			bigger = realloc(buf, cap);
			if (!bigger)
				return -ENOMEM;
			buf = bigger;
		}
		room = cap - len - 1;
		n = read(fd, buf + len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (n == 0 || len > max || (regular && (size_t)n < room))
			break;
	}
	buf[len] = '\0';
	*ret = (struct io_buf){ .data = TAKE_PTR(buf), .len = len };
	return 0;
}

int io_read_fd(int fd, size_t max, struct io_buf *ret)
{
	struct io_buf b = { 0 };
	int r = read_up_to(fd, max, 4096, false, &b);

	if (r < 0)
		return r;
	if (b.len > max) {
		io_buf_free(&b);
		return -EFBIG;
	}
	*ret = b;
	return 0;
}

int io_read_regular(int fd, size_t max, struct io_buf *ret)
{
	struct io_buf b = { 0 };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	r = read_up_to(fd, max, (size_t)st.st_size, true, &b);
	if (r < 0)
		return r;
	if (b.len > max) {
		io_buf_free(&b);
		return -EFBIG;
	}
	*ret = b;
	return 0;
}

/*
 * Looked at before it is opened: opening a device can do something (a watchdog starts to count), and a disk that was
 * mounted to be looked at may have one where a record belongs.
 */
static int check_regular(int dirfd, const char *path)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

int io_open_regular(int dirfd, const char *path)
{
	int r = check_regular(dirfd, path), fd;

	if (r < 0)
		return r;
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int io_read_file(int dirfd, const char *path, size_t max, struct io_buf *ret, struct insp_err *err)
{
	_cleanup_close_ int fd = io_open_regular(dirfd, path);
	int r = fd < 0 ? fd : io_read_regular(fd, max, ret);

	if (r == -EINVAL)
		return insp_err_say(err, r, "read '%s': not a regular file", path);
	if (r < 0)
		return insp_err_set(err, r, "read '%s'", path);
	return 0;
}

int io_read_proc(int dirfd, const char *path, size_t max, struct io_buf *ret)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct io_buf b = { 0 };
	int r;

	if (fd < 0)
		return -errno;
	r = read_up_to(fd, max, 4096, false, &b);
	if (r < 0)
		return r;
	if (b.len > max) {
		b.len = max;
		b.data[max] = '\0';
	}
	*ret = b;
	return 0;
}

ssize_t io_read_small(int dirfd, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len + 1 < size) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t io_read_small_file(int dirfd, const char *path, char *buf, size_t size)
{
	int r = check_regular(dirfd, path);

	return r < 0 ? r : io_read_small(dirfd, path, buf, size);
}

int64_t io_now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)buf + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int io_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_readlink(int dirfd, const char *path, char **ret)
{
	char buf[PATH_MAX];
	ssize_t n = readlinkat(dirfd, path, buf, sizeof(buf));
	char *s;

	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(buf))
		return -ENAMETOOLONG;
	s = strndup(buf, (size_t)n);
	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

int io_open_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int io_open_no_links(int dirfd, const char *path)
{
	_cleanup_close_ int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);

	while (fd >= 0 && *(path += strspn(path, "/"))) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(path, "/");
		int next;

		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		util_close(fd);
		fd = next;
	}
	return fd < 0 ? -errno : TAKE_FD(fd);
}

struct io_fd_path io_fd_path(int fd, const char *name)
{
	struct io_fd_path p;

	snprintf(p.s, sizeof(p.s), "/proc/self/fd/%d%s%s", fd, name ? "/" : "", name ? name : "");
	return p;
}

static int try_openat2(int rootfd, const char *path, const struct open_how *how)
{
	/* EAGAIN: a rename or mount raced with ".."; the kernel asks to try again (openat2(2)) */
	for (int tries = 0; tries < 64; tries++) {
		long fd = syscall(SYS_openat2, rootfd, path, how, sizeof(*how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

int io_openat2_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return try_openat2(rootfd, path, &how);
}

int io_openat2_one_mount(int rootfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};

	return try_openat2(rootfd, path, &how);
}

/* Which mount an open file is on, as text; "": that cannot be told. */
static void mount_id(int fd, char id[16])
{
	char path[48], text[256], *line;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	n = io_read_small_file(AT_FDCWD, path, text, sizeof(text));
	line = n > 0 ? strstr(text, "mnt_id:") : NULL;
	snprintf(id, 16, "%.*s", line ? (int)strcspn(line + 8, "\n") : 0, line ? line + 8 : "");
}

int io_open_one_mount(int dirfd, const char *name, int flags)
{
	int fd = io_openat2_one_mount(dirfd, name, flags);
	char id[16], own[16];
	struct stat a, b;

	if (fd != -ENOSYS && fd != -EPERM)
		return fd;
	fd = openat(dirfd, name, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mount_id(fd, id);
	mount_id(dirfd, own);
	if (*id && *own ? strcmp(id, own) == 0
			: fstat(fd, &a) == 0 && fstat(dirfd, &b) == 0 && a.st_dev == b.st_dev)
		return fd;
	close(fd);
	return -EXDEV;
}
