/* A container's directories and mounts: the layer from containers-storage, the mounts from podman's configuration. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"
#include "libinspect/engines/oci/process.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/podman/podman.h"
#include "libinspect/kernel/subid.h"

/* podman's rule is stricter: letters, digits, '_', '.', '-'. */
static bool is_volume_name(const char *s)
{
	return *s && !strchr(s, '/') && !str_eq(s, ".") && !str_eq(s, "..");
}

static int add_volume(const struct podman_store *s, struct insp_container *c, const json_t *v)
{
	const char *name = json_str_at(v, "volumeName"), *dest = json_str_at(v, "dest");
	_cleanup_free_ char *source = NULL;
	struct insp_mount mount = {
		.type = (char *)"volume",
		.name = (char *)name,
		.destination = (char *)dest,
		.read_only = json_has_str(json_at(v, "options"), "ro"),
	};

	if (!name || !dest)
		return 0;
	if (is_volume_name(name)) {
		source = str_format("%s/%s/_data", s->volume_dir, name);
		if (!source)
			return -ENOMEM;
		mount.source = source;
	}
	return container_add_mount(c, &mount);
}

static int add_volumes(const struct podman_store *s, struct insp_container *c, const json_t *list)
{
	json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach (list, i, v) {
		r = add_volume(s, c, v);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Sources in the specification are podman's paths. */
static int add_binds(const struct podman_store *s, struct insp_container *c, const json_t *spec)
{
	int r = oci_spec_fill(spec, INSP_WANT_FILES, c);

	for (size_t i = 0; r == 0 && s->prefix[0] && i < c->n_mounts; i++) {
		char **source = &c->mounts[i].source;
		char *here = *source ? podman_host_path(s, *source) : NULL;

		if (*source && !here)
			return -ENOMEM;
		free(*source);
		*source = here;
	}
	return r;
}

/* The ids in map are those of the user namespace that podman itself is in: as the host counts from now on. */
static int set_outside(struct insp_id_map *map, const struct idmap *podmans)
{
	struct idmap said = { 0 }, whole;
	int r = 0;

	for (size_t i = 0; i < map->n && i < IDMAP_MAX; i++) {
		said.e[i].inside = map->items[i].inside;
		said.e[i].outside = map->items[i].outside;
		said.e[i].count = map->items[i].count;
		said.n++;
	}
	if (said.n > 0)
		idmap_compose(&said, podmans, &whole);
	else
		whole = *podmans;
	map->n = 0;
	for (size_t i = 0; i < whole.n && r == 0; i++)
		r = container_add_ids(map, whole.e[i].inside, whole.e[i].outside, whole.e[i].count);
	return r;
}

static int set_users_ids(const struct podman_store *s, struct insp_container *c)
{
	struct idmap uids, gids;
	int r = subid_rootless(s->scan->sys, s->owner, &uids, &gids);

	if (r == 0)
		r = set_outside(&c->uids, &uids);
	return r < 0 ? r : set_outside(&c->gids, &gids);
}

/* podman run --rootfs DIR: no image, no layer; with DIR:O an overlay over it, whose mount tells. */
static int rootfs_layers(const struct podman_store *s, struct insp_container *c,
			 const json_t *config)
{
	const char *path = json_str_at(config, "rootfs");

	if (!path || path[0] != '/' || json_bool_at(config, "rootfs_overlay"))
		return 0;
	c->layers = container_layers_new(INSP_ROOT_DIR);
	if (!c->layers)
		return -ENOMEM;
	c->layers->upper = podman_host_path(s, path);
	return c->layers->upper ? 0 : -ENOMEM;
}

int podman_fill_files(struct podman_store *s, struct insp_container *c, const json_t *config)
{
	const struct storage_record *record;
	int r = storage_find(s->storage, c->id, &record);

	if (r == 0 && record)
		r = storage_fill_layers(s->storage, record, c);
	else if (r == 0)
		r = rootfs_layers(s, c, config);
	if (r == 0)
		r = add_binds(s, c, json_at(config, "spec"));
	if (r == 0 && s->owner != 0)
		r = set_users_ids(s, c);
	return r < 0 ? r : add_volumes(s, c, json_at(config, "namedVolumes"));
}

/* What podman sets for every container that it runs: none of an image's. */
static bool is_podmans(const char *env)
{
	return !env || str_starts(env, "container=") || str_starts(env, "HOSTNAME=") ||
	       str_starts(env, "HOME=") || str_starts(env, "TERM=");
}

static json_t *own_env(const json_t *env)
{
	json_t *kept = json_array(), *v;
	size_t i;

	json_array_foreach (env, i, v) {
		if (!is_podmans(json_string_value(v)))
			json_array_append(kept, v);
	}
	return kept;
}

/* What libpod/container_commit.go takes from the container: what it runs, as whom, where, its environment and labels. */
static int override(json_t *image, const json_t *config)
{
	static const char *const members[][2] = { { "entrypoint", "Entrypoint" },
						  { "command", "Cmd" },
						  { "user", "User" },
						  { "labels", "Labels" },
						  { "spec.process.cwd", "WorkingDir" } };
	const json_t *env = json_at(config, "spec.process.env");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_t *v = (json_t *)(uintptr_t)json_at(config, members[i][0]);

		if (v && json_object_set(image, members[i][1], v) < 0)
			return -ENOMEM;
	}
	return env && json_object_set_new(image, "Env", own_env(env)) < 0 ? -ENOMEM : 0;
}

/* Its specification has no user: that is looked for when it starts. Nor what --init puts before the command. */
static int podman_fill_process(const json_t *config, char **ret)
{
	const json_t *args = json_at(config, "spec.process.args");
	const char *first = json_string_value(json_array_get(args, 0));
	struct oci_process_more more = { .user = json_str_at(config, "user") ?: "0",
					 .groups = json_at(config, "groups") };

	if (str_eq(first, "/run/podman-init") || str_eq(first, "/dev/init"))
		more.skip = str_eq(json_string_value(json_array_get(args, 1)), "--") ? 2 : 1;
	return oci_process_of_spec(json_at(config, "spec"), &more, ret);
}

int podman_fill_image_config(struct podman_store *s, struct insp_container *c, const json_t *config)
{
	const struct storage_record *record;
	_cleanup_json_ json_t *image = NULL;
	json_t *of_image;
	int r = podman_fill_process(config, &c->process);

	r = r ?: storage_find(s->storage, c->id, &record);
	if (r < 0 || !record)
		return r;
	r = storage_image(s->storage, record, &image);
	if (r == -ENOMEM)
		return r;
	of_image = json_object_get(image, "config");
	if (!json_is_object(of_image)) /* the runtime specification tells, then */
		return oci_image_config_of_process(json_at(config, "spec.process"),
						   &c->image_config);
	r = override(of_image, config);
	return r < 0 ? r : oci_image_config(of_image, &c->image_config);
}
