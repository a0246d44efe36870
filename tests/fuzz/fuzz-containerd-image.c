/*
 * containerd's blobs of an image: an index, a manifest, a configuration. The first two bytes say how many 256ths of the rest
 * are the first, and how many of what is left the second. Their names are sixty-four times 1, 2 and 3.
 */
#include "libinspect/base/io.h"
#include "libinspect/engines/containerd/containerd.h"
#include "tests/fuzz/image-config.h"

#define BLOBS	  "io.containerd.content.v1.content/blobs/sha256"
#define HEX_16(c) c c c c c c c c c c c c c c c c
#define HEX_64(c) HEX_16(c) HEX_16(c) HEX_16(c) HEX_16(c)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char blobs_root[] = "/tmp/fuzz-blobs-XXXXXX";
static const char *const blobs_dirs[] = { "io.containerd.content.v1.content",
					  "io.containerd.content.v1.content/blobs", BLOBS };
static const char *const blobs[] = { BLOBS "/" HEX_64("1"), BLOBS "/" HEX_64("2"),
				     BLOBS "/" HEX_64("3") };
static int blobs_fd = -1;

static void remove_blobs(void)
{
	for (size_t i = ARRAY_SIZE(blobs_dirs); i > 0; i--)
		unlinkat(blobs_fd, blobs_dirs[i - 1], AT_REMOVEDIR);
	rmdir(blobs_root);
}

/* Made at the first use. */
static int open_blobs_root(void)
{
	if (blobs_fd >= 0 || !mkdtemp(blobs_root))
		return blobs_fd;
	blobs_fd = open(blobs_root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(blobs_dirs); i++)
		if (mkdirat(blobs_fd, blobs_dirs[i], 0755) < 0)
			__builtin_trap();
	atexit(remove_blobs);
	return blobs_fd;
}

/* Anew: ext4 writes a file that was truncated to the disk when it is closed. */
static void put_blob(int root, const char *path, const uint8_t *data, size_t size)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, data, size) < 0)
		__builtin_trap();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int root = open_blobs_root();
	_cleanup_free_ char *config = NULL;
	size_t first, second;

	if (size < 2)
		return 0;
	first = (size - 2) * data[0] / 256;
	second = (size - 2 - first) * data[1] / 256;
	put_blob(root, blobs[0], data + 2, first);
	put_blob(root, blobs[1], data + 2 + first, second);
	put_blob(root, blobs[2], data + 2 + first + second, size - 2 - first - second);
	if (containerd_image_config(root, "sha256:" HEX_64("1"), &config) == 0)
		check_image_config(config);
	else if (config)
		__builtin_trap();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		unlinkat(root, blobs[i], 0);
	return 0;
}
