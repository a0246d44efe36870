/*
 * Images by name. With a graph driver repositories.json has names and ids, imagedb/content/sha256/ID is the image's configuration,
 * which names its layers, and layerdb has which directory each is. With containerd's image store that is containerd's to read.
 */
#include "libinspect/engines/docker/docker.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/engines/oci/image.h"
#include "libinspect/engines/oci/reference.h"

#define CONTENT	   "imagedb/content/sha256"
#define CONFIG_MAX (4 * 1024 * 1024)

/* One graph driver of a root being looked at. */
struct search {
	struct engine_scan *scan;
	struct docker_root *root;
	const char *driver;
};

static int layers_of(const struct search *s, const char *id, struct insp_layers **ret,
		     char **ret_config, struct insp_err *err)
{
	char path[sizeof("image/" CONTENT "/") + 64 + DOCKER_ID_LEN];
	_cleanup_json_ json_t *config = NULL;
	int r;

	snprintf(path, sizeof(path), "image/%s/" CONTENT "/%s", s->driver, id);
	r = json_read_file(s->root->fd, path, CONFIG_MAX, &config, err);
	if (r == 0)
		r = oci_image_config(json_object_get(config, "config"), ret_config);
	return r < 0 ? r
		     : docker_image_layers(s->scan, s->root, s->driver,
					   json_at(config, "rootfs.diff_ids"), ret, err);
}

static int add(const struct search *s, const char *id, const char *name)
{
	struct oci_image image = { engine_docker.name, id, name, s->root->path, s->root->owner };
	_cleanup_free_ char *image_config = NULL;
	struct insp_layers *layers = NULL;
	struct insp_err err = { 0 };
	int r = layers_of(s, id, &layers, &image_config, &err);

	image.config = image_config;
	if (r < 0) {
		insp_err_wrap(&err, r, "docker image %.12s", id);
		engine_scan_fail(s->scan, &err);
	}
	return r == -ENOMEM ? r : oci_image_found(s->scan, &image, layers);
}

/* {"citest": {"citest:1": "sha256:HEX"}} */
static int by_name(const struct search *s, const json_t *repositories)
{
	const char *repository, *name;
	json_t *names, *id;

	json_object_foreach ((json_t *)(uintptr_t)repositories, repository, names)
		json_object_foreach (names, name, id) {
			const char *text = json_string_value(id);
			const char *hex = text ? str_after(text, "sha256:") : NULL;
			int r = hex && str_is_hex(hex, DOCKER_ID_LEN) &&
						oci_image_wanted(s->scan, name)
					? add(s, hex, name)
					: 0;

			if (r < 0)
				return r;
		}
	return 0;
}

static int by_id(const struct search *s)
{
	_cleanup_free_ char *path = str_format("image/%s/" CONTENT, s->driver);
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = path ? io_opendir(s->root->fd, path, &dir) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_entry (de, dir) {
		if (!str_is_hex(de->d_name, DOCKER_ID_LEN) ||
		    !oci_reference_is_id(s->scan->match.ref, de->d_name))
			continue;
		r = add(s, de->d_name, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_driver(const struct search *s)
{
	_cleanup_free_ char *path = str_format("image/%s/repositories.json", s->driver);
	_cleanup_json_ json_t *repositories = NULL;
	struct insp_err err = { 0 };
	int r = path ? json_read_file(s->root->fd, path, IO_STATE_MAX, &repositories, &err)
		     : -ENOMEM;

	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		insp_err_wrap(&err, r, "docker store '%s'", s->root->path);
		engine_scan_fail(s->scan, &err);
		return 0;
	}
	r = by_name(s, json_object_get(repositories, "Repositories"));
	return r < 0 ? r : by_id(s);
}

static bool is_dockers(const void *userdata, const char *ns)
{
	const struct docker_root *root = userdata;

	for (size_t i = 0; i < DOCKER_NAMESPACES; i++)
		if (root->namespaces[i][0] && str_eq(root->namespaces[i], ns))
			return true;
	return false;
}

static int in_containerd(struct engine_scan *scan, struct docker_root *root)
{
	struct insp_err err = { 0 };
	int r = docker_open_images(scan, root, &err);

	for (size_t i = 0; r >= 0 && i < root->n_images; i++) {
		struct containerd_images of = { scan,	     engine_docker.name, root->path,
						root->owner, root->images[i],	 is_dockers,
						root };

		r = containerd_images(&of);
	}
	return r == -ENOMEM ? r : 0;
}

int docker_images(struct engine_scan *scan)
{
	_cleanup_(docker_roots_free) struct docker_roots roots = { 0 };
	int r = docker_roots_find(scan, &roots);

	/* there may be a daemon that was killed and had a root of its own */
	if (r >= 0 && scan->sys->live)
		r = docker_roots_add_mounted(scan, &roots);
	for (size_t i = 0; r >= 0 && i < roots.n; i++) {
		struct search s = { .scan = scan, .root = &roots.items[i] };

		for (size_t k = 0; r >= 0 && (s.driver = docker_graph_driver(k)); k++)
			r = by_driver(&s);
		if (r >= 0)
			r = in_containerd(scan, s.root);
	}
	return r < 0 ? r : 0;
}
