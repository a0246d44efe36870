/* Bytes of an export on their way out: compressed, counted, summed, and in large writes whatever the pieces. */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

int export_out_open(struct export_out *out, int fd, bool summed)
{
	*out = (struct export_out){ .fd = fd, .buf = malloc(EXPORT_BLOCK), .summed = summed };
	if (!out->buf)
		return -ENOMEM;
	sha256_init(&out->plain);
	sha256_init(&out->packed);
	/* fails for what is no pipe, and above the user's limit: then it stays as it is */
	(void)fcntl(fd, F_SETPIPE_SZ, (int)EXPORT_BLOCK);
	return 0;
}

void export_out_close(struct export_out *out)
{
	if (out->packer)
		archive_write_fail(out->packer); /* what is left is not written */
	archive_write_free(out->packer);
	free(out->buf);
	*out = (struct export_out){ .fd = -EBADF };
}

static int flush(struct export_out *out)
{
	if (!out->error && out->len > 0)
		out->error = io_write_all(out->fd, out->buf, out->len);
	out->len = 0;
	return out->error;
}

/* What is in the file or pipe in the end. */
static int put(struct export_out *out, const void *data, size_t len)
{
	size_t n = MIN_OF(len, EXPORT_BLOCK - out->len);

	out->given += len;
	if (out->summed && out->packer)
		sha256_update(&out->packed, len, data);
	/* what is a block already is not copied */
	if (out->len == 0 && len >= EXPORT_BLOCK) {
		if (!out->error)
			out->error = io_write_all(out->fd, data, len);
		return out->error;
	}
	memcpy(out->buf + out->len, data, n);
	out->len += n;
	if (out->len == EXPORT_BLOCK && flush(out) < 0)
		return out->error;
	memcpy(out->buf + out->len, (const char *)data + n, len - n);
	out->len += len - n;
	return out->error;
}

static la_ssize_t on_packed(struct archive *packer, void *arg, const void *data, size_t len)
{
	(void)packer;
	return put(arg, data, len) < 0 ? -1 : (la_ssize_t)len;
}

/* An archive of no format: one stream of bytes that goes through a filter. */
int export_out_pack(struct export_out *out, enum insp_export_filter filter)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int r = ARCHIVE_FATAL;

	out->packer = a;
	if (a && entry) {
		archive_write_set_format_raw(a);
		archive_write_set_bytes_per_block(a, 0);
		archive_entry_set_filetype(entry, AE_IFREG);
		r = filter == INSP_EXPORT_GZIP ? archive_write_add_filter_gzip(a)
					       : archive_write_add_filter_zstd(a);
		if (r == ARCHIVE_OK && filter == INSP_EXPORT_GZIP)
			r = archive_write_set_options(a, "gzip:!timestamp");
		if (r == ARCHIVE_OK)
			r = archive_write_open(a, out, NULL, on_packed, NULL);
		if (r == ARCHIVE_OK)
			r = archive_write_header(a, entry);
	}
	archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : -EOPNOTSUPP;
}

static int pack(struct export_out *out, const char *data, size_t len)
{
	while (len > 0 && !out->error) {
		la_ssize_t n = archive_write_data(out->packer, data, len);

		if (n <= 0) {
			out->error = out->error ? out->error : -EIO;
			break;
		}
		data += n;
		len -= (size_t)n;
	}
	return out->error;
}

int export_out_write(struct export_out *out, const void *data, size_t len)
{
	out->taken += len;
	if (out->summed)
		sha256_update(&out->plain, len, data);
	return out->packer ? pack(out, data, len) : put(out, data, len);
}

int export_out_finish(struct export_out *out)
{
	if (out->packer && archive_write_close(out->packer) < ARCHIVE_OK && !out->error)
		out->error = -EIO;
	return flush(out);
}
