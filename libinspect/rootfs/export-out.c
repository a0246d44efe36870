/* Bytes of an export on their way out: in large writes, whatever the pieces. */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

int export_out_open(struct export_out *out, int fd)
{
	*out = (struct export_out){ .fd = fd, .buf = malloc(EXPORT_BLOCK) };
	if (!out->buf)
		return -ENOMEM;
	/* fails for what is no pipe, and above the user's limit: then it stays as it is */
	(void)fcntl(fd, F_SETPIPE_SZ, (int)EXPORT_BLOCK);
	return 0;
}

void export_out_close(struct export_out *out)
{
	free(out->buf);
	*out = (struct export_out){ .fd = -EBADF };
}

int export_out_flush(struct export_out *out)
{
	if (!out->error && out->len > 0)
		out->error = io_write_all(out->fd, out->buf, out->len);
	out->len = 0;
	return out->error;
}

int export_out_write(struct export_out *out, const void *data, size_t len)
{
	size_t n = MIN_OF(len, EXPORT_BLOCK - out->len);

	out->taken += len;
	/* what is a block already is not copied */
	if (out->len == 0 && len >= EXPORT_BLOCK) {
		if (!out->error)
			out->error = io_write_all(out->fd, data, len);
		return out->error;
	}
	memcpy(out->buf + out->len, data, n);
	out->len += n;
	if (out->len == EXPORT_BLOCK && export_out_flush(out) < 0)
		return out->error;
	memcpy(out->buf + out->len, (const char *)data + n, len - n);
	out->len += len - n;
	return out->error;
}
