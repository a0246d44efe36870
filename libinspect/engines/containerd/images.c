/*
 * Images by name: meta.db has v1/NS/images/NAME/target/digest; which layers that is says the image's configuration, and which
 * directories they are the snapshot that is called by their chain id. docs/formats/containerd.md.
 */
#include "libinspect/engines/containerd/containerd.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/chain.h"
#include "libinspect/engines/oci/image.h"
#include "libinspect/engines/oci/reference.h"

/* One namespace being looked at. */
struct search {
	const struct containerd_images *of;
	const char *ns;
};

/* The snapshot with all of the image's layers. -ENOENT: no snapshotter that keeps directories has it. */
static int unpacked(const struct search *s, const json_t *diff_ids, struct insp_layers **ret,
		    struct insp_err *err)
{
	static const char *const snapshotters[] = { "overlayfs", "native" };
	char chain[OCI_DIGEST_SIZE] = "";
	const json_t *diff_id;
	int r = -ENOENT;
	size_t i;

	json_array_foreach (diff_ids, i, diff_id)
		if (oci_chain_add(chain, json_string_value(diff_id)) < 0)
			return insp_err_say(err, -EBADMSG, "its layers have no digests");
	for (i = 0; i < ARRAY_SIZE(snapshotters) && r == -ENOENT && chain[0]; i++)
		r = containerd_snapshot_layers(s->of->meta, s->ns, snapshotters[i], chain, ret,
					       err);
	if (r == -ENOENT)
		return insp_err_say(err, r, "it is not unpacked into directories");
	if (r == 0)
		r = container_layers_all_lower(*ret);
	return r < 0 ? r : oci_layers_by_chain(*ret, diff_ids);
}

static int layers_of(const struct search *s, const char *digest, struct insp_layers **ret,
		     char **ret_config, struct insp_err *err)
{
	_cleanup_json_ json_t *image = NULL;
	int r = containerd_image_json(containerd_meta_fd(s->of->meta), digest, &image);

	if (r == -ENOENT)
		return insp_err_say(err, r, "its configuration for this platform is not kept");
	if (r < 0)
		return insp_err_set(err, r, "read its configuration");
	r = oci_image_config(json_object_get(image, "config"), ret_config);
	return r < 0 ? r : unpacked(s, json_at(image, "rootfs.diff_ids"), ret, err);
}

static int add(const struct search *s, const char *name, const char *digest)
{
	const struct containerd_images *of = s->of;
	const char *hex = str_after(digest, "sha256:");
	struct oci_image image = { of->engine, hex, name, of->store, of->owner };
	_cleanup_free_ char *config = NULL;
	struct insp_layers *layers = NULL;
	struct insp_err err = { 0 };
	int r;

	if (!hex || !str_is_hex(hex, SUM_HEX - 1) ||
	    !(oci_image_wanted(of->scan, name) || oci_reference_is_id(of->scan->match.ref, hex)))
		return 0;
	r = layers_of(s, digest, &layers, &config, &err);
	image.config = config;
	if (r < 0) {
		layers = container_layers_free(layers);
		insp_err_wrap(&err, r, "%s image '%s'", of->engine, name);
		engine_scan_fail(of->scan, &err);
	}
	return r == -ENOMEM ? r : oci_image_found(of->scan, &image, layers);
}

static int each_image(void *userdata, struct bolt_slice key, struct bolt_slice value,
		      const struct bolt_bucket *bucket)
{
	_cleanup_free_ char *name = bucket ? containerd_string(key) : NULL, *digest = NULL;
	struct bolt_bucket target;

	if (!bucket)
		return 0;
	if (name && bolt_bucket(bucket, "target", &target) == 0 &&
	    bolt_get(&target, "digest", &value) == 0) {
		digest = containerd_string(value);
		return digest ? add(userdata, name, digest) : -ENOMEM;
	}
	return name ? 0 : -ENOMEM;
}

static int each_namespace(void *userdata, struct bolt_slice key, struct bolt_slice value,
			  const struct bolt_bucket *bucket)
{
	const struct containerd_images *of = userdata;
	_cleanup_free_ char *ns = bucket ? containerd_string(key) : NULL;
	struct search s = { .of = of, .ns = ns };
	struct bolt_bucket images;

	if (!bucket)
		return 0;
	if (!ns)
		return -ENOMEM;
	if (of->wants(of->userdata, ns) && bolt_bucket(bucket, "images", &images) == 0)
		return bolt_each(&images, each_image, &s);
	return 0;
}

int containerd_images(const struct containerd_images *of)
{
	struct bolt_bucket namespaces;
	int r = containerd_meta_namespaces(of->meta, &namespaces);

	if (r == 0)
		r = bolt_each(&namespaces, each_namespace, (void *)(uintptr_t)of);
	(void)containerd_meta_note_damage(of->meta);
	return r == -ENOMEM ? r : 0;
}

/* Docker's are looked for in its own store. */
static bool is_not_dockers(const void *userdata, const char *ns)
{
	return !str_eq(ns, "moby") && !str_starts(ns, "moby-");
}

int containerd_all_images(struct engine_scan *scan)
{
	struct containerd_roots *roots;
	int r = containerd_roots(scan, &roots);

	for (size_t i = 0; r == 0 && i < roots->n; i++) {
		struct containerd_root *root = &roots->items[i];
		struct containerd_images of = { .scan = scan,
						.engine = engine_containerd.name,
						.store = root->path,
						.owner = root->owner,
						.wants = is_not_dockers };
		struct insp_err err = { 0 };

		r = containerd_root_open(scan, root, &of.meta, &err);
		if (r == 0)
			r = containerd_images(&of);
		else if (r != -ENOENT && r != -ENOMEM)
			engine_scan_fail(
				scan, (insp_err_wrap(&err, r, "containerd store '%s'", root->path),
				       &err));
		r = r == -ENOMEM ? r : 0;
		containerd_root_close(root);
	}
	return r;
}
