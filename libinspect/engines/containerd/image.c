/*
 * The configuration of a container's image: io.containerd.content.v1.content/blobs/sha256/HEX below the root directory holds
 * an index (of one manifest for each platform), a manifest and the configuration, each named by the one before
 * (github.com/opencontainers/image-spec, image-index.md, manifest.md). docs/formats/containerd.md.
 */
#include "libinspect/engines/containerd/containerd.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/chain.h"
#include "libinspect/engines/oci/image.h"

#define BLOB_MAX (4 * 1024 * 1024)

static int open_blobs(int rootfd)
{
	static const char *const steps[] = { "io.containerd.content.v1.content", "blobs",
					     "sha256" };
	_cleanup_close_ int fd = io_open_dir(rootfd, ".");

	for (size_t i = 0; i < ARRAY_SIZE(steps) && fd >= 0; i++) {
		int next = io_open_dir(fd, steps[i]);

		util_close(fd);
		fd = next;
	}
	return TAKE_FD(fd);
}

static int read_blob(int blobs, const char *digest, json_t **ret)
{
	const char *hex = digest ? str_after(digest, "sha256:") : NULL;

	if (!hex || !str_is_hex(hex, 64))
		return -ENOENT;
	return json_read_file(blobs, hex, BLOB_MAX, ret, NULL);
}

/* The manifest for this host, else the first, of an index. Borrowed. */
static const char *choose(const json_t *manifests)
{
	char arch[OCI_ARCHITECTURE_MAX];
	json_t *m;
	size_t i;

	oci_architecture(arch);
	json_array_foreach (manifests, i, m) {
		if (str_eq(json_str_at(m, "platform.architecture"), arch))
			return json_str_at(m, "digest");
	}
	return json_str_at(json_array_get(manifests, 0), "digest");
}

int containerd_image_json(int rootfd, const char *digest, json_t **ret)
{
	_cleanup_close_ int blobs = open_blobs(rootfd);
	_cleanup_json_ json_t *index = NULL, *manifest = NULL, *config = NULL;
	int r = blobs < 0 ? blobs : read_blob(blobs, digest, &index);

	if (r < 0)
		return r;
	if (json_is_array(json_at(index, "manifests")))
		r = read_blob(blobs, choose(json_at(index, "manifests")), &manifest);
	else
		manifest = json_incref(index);
	if (r == 0 && json_at(manifest, "rootfs"))
		config = json_incref(manifest);
	else if (r == 0)
		r = read_blob(blobs, json_str_at(manifest, "config.digest"), &config);
	if (r == 0)
		*ret = TAKE_PTR(config);
	return r;
}

int containerd_image_config(int rootfd, const char *digest, char **ret)
{
	_cleanup_json_ json_t *image = NULL;
	int r = containerd_image_json(rootfd, digest, &image);

	return r < 0 ? r : oci_image_config(json_object_get(image, "config"), ret);
}

int containerd_layer_diff_ids(const struct containerd_meta *m, const char *image_id,
			      struct insp_layers *layers)
{
	_cleanup_free_ char *digest = image_id ? str_format("sha256:%s", image_id) : NULL;
	_cleanup_json_ json_t *image = NULL;

	if (image_id && !digest)
		return -ENOMEM;
	if (containerd_image_json(containerd_meta_fd(m), digest, &image) == -ENOMEM)
		return -ENOMEM;
	return oci_layers_by_chain(layers, json_at(image, "rootfs.diff_ids"));
}
