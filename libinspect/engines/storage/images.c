/*
 * The images of a graph root: DRIVER-images/images.json has of each its id, names and uppermost layer (containers-storage
 * images.go). Whichever engine pulled them, they are everybody's who uses the root.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"
#include "libinspect/engines/oci/reference.h"
#include "libinspect/engines/storage/storage.h"

/* Those whose layers are directories. */
static const char *const drivers[] = { "overlay", "vfs" };

/* The name that is looked for, "" where it is the id. NULL: it is another image. */
static const char *match(struct engine_scan *scan, const json_t *image, const char *id)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_at(image, "names"), i, name) {
		const char *text = json_string_value(name);

		if (text && oci_image_wanted(scan, text))
			return text;
	}
	return oci_reference_is_id(scan->match.ref, id) ? "" : NULL;
}

/* Its configuration, where it can be read. -ENOMEM. */
static int config_of(struct storage_root *root, const char *driver, const char *id, char **ret)
{
	const struct storage_record record = { .driver = driver, .image = id };
	_cleanup_json_ json_t *json = NULL;
	int r = storage_image(root, &record, &json);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return oci_image_config(json_object_get(json, "config"), ret);
}

static int add(struct storage_root *root, const char *driver, const char *engine,
	       const json_t *json)
{
	const char *id = json_str_at(json, "id"), *name;
	const struct storage_record top = { .driver = driver, .layer = json_str_at(json, "layer") };
	struct oci_image image = { engine, id, .store = root->path, .owner = root->owner };
	_cleanup_free_ char *config = NULL;
	struct insp_layers *layers = NULL;
	struct insp_err err = { 0 };
	int r;

	name = id && str_is_hex(id, STORAGE_ID_LEN) ? match(root->scan, json, id) : NULL;
	if (!name)
		return 0;
	r = storage_layers(root, &top, &layers, &err);
	if (r == 0)
		r = container_layers_all_lower(layers);
	if (r < 0) {
		layers = container_layers_free(layers);
		insp_err_wrap(&err, r, "%s image %.12s", engine, id);
		engine_scan_fail(root->scan, &err);
	}
	if (r == 0)
		r = config_of(root, driver, id, &config);
	image.config = config;
	image.name = *name ? name : json_string_value(json_array_get(json_at(json, "names"), 0));
	return r == -ENOMEM ? r : oci_image_found(root->scan, &image, layers);
}

static int images_of(struct storage_root *root, const char *driver, const char *engine)
{
	_cleanup_free_ char *dir = str_format("%s-images", driver);
	_cleanup_close_ int fd = dir ? io_open_dir(root->fd, dir) : -ENOMEM;
	_cleanup_json_ json_t *list = NULL;
	struct insp_err err = { 0 };
	const json_t *image;
	size_t i;
	int r = fd < 0 ? fd
		       : json_read_file(fd, "images.json", storage_json_max(root), &list, &err);

	if (r == -ENOMEM || r == -ENOENT)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		insp_err_set(&err, r, "container storage '%s': read '%s-images'", root->path,
			     driver);
		engine_scan_fail(root->scan, &err);
		return 0;
	}
	json_array_foreach (list, i, image) {
		r = add(root, driver, engine, image);
		if (r < 0)
			return r;
	}
	return 0;
}

int storage_images(struct engine_scan *scan, const char *engine)
{
	const struct storage_roots *roots;
	int r = storage_roots(scan, &roots);

	for (size_t i = 0; r == 0 && i < roots->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(drivers) && r == 0; k++)
			r = images_of(roots->items[i], drivers[k], engine);
	return r;
}
