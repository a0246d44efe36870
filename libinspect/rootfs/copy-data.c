/* The data of one file. */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#define CHUNK \
	((size_t)32 * 1024 * 1024) /* in the kernel at a time: signals are looked at between */
#define PSEUDO_MAX ((uint64_t)64 * 1024 * 1024)

/* What to say of a call that cannot do it for this pair of files, so that the next way is tried. */
static bool cannot(int error)
{
	return error == EXDEV || error == EINVAL || error == EOPNOTSUPP || error == ENOSYS ||
	       error == ENOTTY || error == EBADF || error == EPERM || error == EISDIR;
}

static char *buffer(struct copy *c)
{
	if (!c->buf)
		c->buf = malloc(COPY_BUF);
	return c->buf;
}

static int count(struct copy *c, uint64_t n)
{
	c->result->bytes += n;
	if (c->opts->progress)
		c->opts->progress(c->result, c->opts->arg);
	return copy_stopped(c);
}

/* Up to len bytes from off on, through memory. How many there were. */
static ssize_t through_memory(struct copy *c, int in, int out, off_t off, uint64_t len)
{
	uint64_t done = 0;

	if (!buffer(c))
		return -ENOMEM;
	while (done < len) {
		ssize_t n = pread(in, c->buf, MIN_OF(len - done, COPY_BUF), off + (off_t)done);
		int r;

		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n < 0 ? -errno : (ssize_t)done;
		for (ssize_t at = 0, w; at < n; at += w) {
			w = pwrite(out, c->buf + at, (size_t)(n - at), off + (off_t)done + at);
			if (w < 0 && errno != EINTR)
				return -errno;
			w = w < 0 ? 0 : w;
		}
		done += (uint64_t)n;
		r = count(c, (uint64_t)n);
		if (r < 0)
			return r;
	}
	return (ssize_t)done;
}

/* A call that copies in the kernel from off on, wherever out stands: as read(2). */
typedef ssize_t copy_way(int in, int out, off_t off, size_t len);

static ssize_t by_range(int in, int out, off_t off, size_t len)
{
	off_t from = off, to = off;

	return copy_file_range(in, &from, out, &to, len, 0);
}

static ssize_t by_sendfile(int in, int out, off_t off, size_t len)
{
	return lseek(out, off, SEEK_SET) < 0 ? -1 : sendfile(out, in, &off, len);
}

/* The same in the kernel; -EXDEV: it cannot. */
static ssize_t in_kernel(struct copy *c, copy_way *way, const int fds[2], off_t off, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		ssize_t n = way(fds[0], fds[1], off + (off_t)done, MIN_OF(len - done, CHUNK));
		int r;

		if (n < 0 && cannot(errno) && done == 0)
			return -EXDEV;
		if (n < 0 && errno != EINTR)
			return -errno;
		/* some kernels say 0 for files that they cannot do it for (< 5.19, procfs) */
		if (n == 0 && done == 0)
			return -EXDEV;
		if (n == 0)
			break;
		n = n < 0 ? 0 : n;
		done += (uint64_t)n;
		r = count(c, (uint64_t)n);
		if (r < 0)
			return r;
	}
	return (ssize_t)done;
}

/* One large file's pair of file systems may differ from the one before: of each the kernel is asked again. */
static ssize_t copy_range(struct copy *c, int in, int out, off_t off, uint64_t len)
{
	static copy_way *const ways[] = { by_range, by_sendfile };
	const int fds[] = { in, out };

	for (size_t i = 0; i < ARRAY_SIZE(ways) && len > COPY_BUF; i++) {
		ssize_t n = in_kernel(c, ways[i], fds, off, len);

		if (n != -EXDEV)
			return n;
	}
	return through_memory(c, in, out, off, len);
}

/* Only where there is data; the end by ftruncate(), which leaves a hole before it. */
static int copy_extents(struct copy *c, int in, int out, off_t size)
{
	off_t at = 0, end = 0;

	while (at < size) {
		off_t data = lseek(in, at, SEEK_DATA), hole;
		ssize_t n;

		if (data < 0 && errno == ENXIO) { /* nothing but a hole until the end */
			end = size;
			break;
		}
		if (data < 0) { /* the file system cannot say */
			data = at;
			hole = size;
		} else {
			hole = lseek(in, data, SEEK_HOLE);
		}
		if (data >= size) {
			end = size;
			break;
		}
		if (hole <= data || hole > size)
			hole = size;
		n = copy_range(c, in, out, data, (uint64_t)(hole - data));
		if (n < 0)
			return (int)n;
		end = data + n;
		if (end < hole) /* it shrank */
			break;
		at = hole;
	}
	return ftruncate(out, end) < 0 ? -errno : 0;
}

/* Files of the kernel say that they are empty and are not. */
static int copy_pseudo(struct copy *c, int in, int out)
{
	uint64_t done = 0;

	if (!buffer(c))
		return -ENOMEM;
	while (done < PSEUDO_MAX) {
		ssize_t n = read(in, c->buf, COPY_BUF);
		int r;

		if (n == 0)
			return 0;
		if (n < 0)
			return -errno;
		r = io_write_all(out, c->buf, (size_t)n);
		if (r == 0)
			r = count(c, (uint64_t)n);
		if (r < 0)
			return r;
		done += (uint64_t)n;
	}
	return -EFBIG;
}

int copy_data(struct copy *c, int in, int out, const struct stat *st)
{
	ssize_t n;

	if (st->st_blocks == 0 && view_is_pseudo(in))
		return copy_pseudo(c, in, out);
	if (st->st_size == 0)
		return 0;
	if (!c->no_clone || (size_t)st->st_size > COPY_BUF) {
		c->no_clone = ioctl(out, FICLONE, in) < 0;
		if (!c->no_clone)
			return count(c, (uint64_t)st->st_size);
		if (!cannot(errno))
			return -errno;
	}
	if (st->st_blocks * 512 < st->st_size && (size_t)st->st_size > 4096)
		return copy_extents(c, in, out, st->st_size);
	n = copy_range(c, in, out, 0, (uint64_t)st->st_size);
	return n < 0 ? (int)n : 0;
}
