/*
 * Which layer of an image a graph driver's directory holds: image/DRIVER/layerdb/sha256/CHAIN/ is called by the chain id, and
 * has in it cache-id (the directory), diff (the layer's diff id) and parent (the chain id below; the lowest layer has none).
 * moby: layer/filestore.go.
 */
#include "libinspect/engines/docker/docker.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/chain.h"

/* A file of one digest. -ENOENT: it is not there; -EBADMSG. */
static int read_digest(int dirfd, const char *file, char digest[OCI_DIGEST_SIZE])
{
	char buf[OCI_DIGEST_SIZE + 1]; /* a byte too many is seen */
	ssize_t n = io_read_small_file(dirfd, file, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	if (!oci_is_digest(buf))
		return -EBADMSG;
	memcpy(digest, buf, OCI_DIGEST_SIZE);
	return 0;
}

static int open_chain(const struct docker_root *root, const char *driver, const char *chain)
{
	_cleanup_free_ char *path =
		str_format("image/%s/layerdb/sha256/%s", driver, str_after(chain, "sha256:"));

	return path ? insp_open_in_root(root->fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
		    : -ENOMEM;
}

int docker_cache_id(const struct docker_root *root, const char *driver, const char *chain,
		    char id[DOCKER_LAYER_ID_MAX + 1])
{
	_cleanup_close_ int fd = open_chain(root, driver, chain);
	ssize_t n = fd < 0 ? fd : io_read_small_file(fd, "cache-id", id, DOCKER_LAYER_ID_MAX + 1);

	return n < 0 ? (int)n : docker_is_layer_id(id) ? 0 : -EBADMSG;
}

int docker_layer_diff_ids(const struct docker_root *root, const char *driver, int mount,
			  struct insp_layers *layers)
{
	char chain[OCI_DIGEST_SIZE], diff_id[OCI_DIGEST_SIZE], cache[DOCKER_LAYER_ID_MAX + 1];
	int r = read_digest(mount, "parent", chain);

	for (size_t i = layers->n_engine; r == 0 && i < layers->n_lowers; i++) {
		_cleanup_close_ int fd = open_chain(root, driver, chain);

		if (fd < 0 || io_read_small_file(fd, "cache-id", cache, sizeof(cache)) < 0 ||
		    !str_eq(cache, layers->ids[i].id) || read_digest(fd, "diff", diff_id) < 0)
			return fd == -ENOMEM ? fd : 0;
		if (container_set(&layers->ids[i].diff_id, diff_id) < 0)
			return -ENOMEM;
		r = read_digest(fd, "parent", chain);
	}
	return r == -ENOMEM ? r : 0;
}
