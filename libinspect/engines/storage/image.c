/*
 * An image's configuration: DRIVER-images/ID/ has a file for each of its parts, called by the part's name or, when that has
 * more than letters, digits, '.' and '-', "=" and the name in base64 (containers-storage images.go, makeBigDataBaseName()).
 * The configuration's name is its digest, which is the image's id.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/storage/storage.h"

static char *base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < len; i += 3) {
		unsigned char in[3] = { 0 };
		char out[4] = "===";
		size_t n = MIN_OF(len - i, (size_t)3);

		memcpy(in, text + i, n);
		out[0] = digits[in[0] >> 2];
		out[1] = digits[(in[0] & 3) << 4 | in[1] >> 4];
		out[2] = n > 1 ? digits[(in[1] & 15) << 2 | in[2] >> 6] : '=';
		out[3] = n > 2 ? digits[in[2] & 63] : '=';
		strbuf_add(&sb, out, sizeof(out));
	}
	return strbuf_take(&sb);
}

/* "=c2hhMjU2Oi4uLg==" */
static char *file_name(const char *id)
{
	_cleanup_free_ char *name = str_format("sha256:%s", id);
	_cleanup_free_ char *coded = name ? base64(name) : NULL;

	return coded ? str_format("=%s", coded) : NULL;
}

int storage_image(const struct storage_root *root, const struct storage_record *record,
		  json_t **ret)
{
	_cleanup_free_ char *images = str_format("%s-images", record->driver), *file = NULL;
	_cleanup_close_ int fd = -EBADF, dir = -EBADF;

	if (!record->image || !str_is_hex(record->image, STORAGE_ID_LEN))
		return -ENOENT;
	file = file_name(record->image);
	if (!images || !file)
		return -ENOMEM;
	fd = io_open_dir(root->fd, images);
	dir = fd < 0 ? fd : io_open_dir(fd, record->image);
	if (dir < 0)
		return dir;
	return json_read_file(dir, file, storage_json_max(root), ret, NULL);
}
