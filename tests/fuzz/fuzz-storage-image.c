/*
 * containers-storage's configuration of an image: an id, up to the first newline, and the file of that image. What an id that
 * is none leads to would be outside of the images.
 */
#include "libinspect/base/io.h"
#include "libinspect/engines/storage/storage.h"
#include "tests/fuzz/image-config.h"

#define IMAGE_ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE_DIR "overlay-images/" IMAGE_ID
/* "sha256:" and the id: base64(1) */
#define IMAGE_FILE                                               \
	IMAGE_DIR "/=c2hhMjU2OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nz" \
		  "g5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char images_root[] = "/tmp/fuzz-images-XXXXXX";
static int images_fd = -1;

static void remove_images(void)
{
	unlinkat(images_fd, IMAGE_DIR, AT_REMOVEDIR);
	unlinkat(images_fd, "overlay-images", AT_REMOVEDIR);
	rmdir(images_root);
}

/* Made at the first use. */
static int open_images_root(void)
{
	if (images_fd >= 0 || !mkdtemp(images_root))
		return images_fd;
	images_fd = open(images_root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (mkdirat(images_fd, "overlay-images", 0755) < 0 ||
	    mkdirat(images_fd, IMAGE_DIR, 0755) < 0)
		__builtin_trap();
	atexit(remove_images);
	return images_fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	_cleanup_free_ char *id = end ? strndup((const char *)data, (size_t)(end - data)) : NULL;
	_cleanup_free_ char *config = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct storage_root root = { .fd = open_images_root() };
	struct storage_record record = { .driver = "overlay", .image = id };
	int fd, r;

	if (!id)
		return 0;
	/* anew: ext4 writes a file that was truncated to the disk when it is closed */
	fd = openat(root.fd, IMAGE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_all(fd, end + 1, size - (size_t)(end + 1 - data)) < 0)
		__builtin_trap();
	close(fd);
	r = storage_image(&root, &record, &json);
	unlinkat(root.fd, IMAGE_FILE, 0);
	if ((r == 0 && !str_eq(id, IMAGE_ID)) || (r == -ENOENT && str_eq(id, IMAGE_ID)) ||
	    (r < 0 && json))
		__builtin_trap();
	if (r == 0 && oci_image_config(json_object_get(json, "config"), &config) < 0)
		__builtin_trap();
	if (r == 0)
		check_image_config(config);
	return 0;
}
