#include "libinspect/engines/oci/spec.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"
#include "libinspect/engines/oci/process.h"
#include "libinspect/engines/oci/runtime.h"

/*
 * Where engines and the specification's defaults mount what nobody asked for. podman
 * libpod/container_internal_*.go, containerd oci/mounts.go, runc libcontainer/specconv/example.go.
 */
static const char *const engine_places[] = {
	"/proc",
	"/sys",
	"/sys/fs/cgroup",
	"/dev",
	"/dev/pts",
	"/dev/shm",
	"/dev/mqueue",
	"/dev/console",
	"/dev/init",
	"/etc/hosts",
	"/etc/hostname",
	"/etc/resolv.conf",
	"/etc/mtab",
	"/run/.containerenv",
	"/run/secrets",
	"/run/podman-init",
	NULL,
};

static bool is_engine_place(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; engine_places[i]; i++)
		if (strlen(engine_places[i]) == len && memcmp(engine_places[i], path, len) == 0)
			return true;
	return false;
}

/* "bind" or "tmpfs"; NULL: nothing that holds anybody's files. A bind's type may be anything: its options tell. */
static const char *mount_type(const json_t *m)
{
	const json_t *options = json_at(m, "options");
	const char *type = json_str_at(m, "type");

	if (str_eq(type, "tmpfs"))
		return "tmpfs";
	return str_eq(type, "bind") || json_has_str(options, "bind") ||
			       json_has_str(options, "rbind")
		       ? "bind"
		       : NULL;
}

/* containerd's own tmpfs, for every container that ctr makes (oci/mounts.go); others' on that place is somebody's. */
static bool is_engine_run(const json_t *m, const char *to)
{
	static const char *const options[] = { "strictatime", "mode=755", "size=65536k" };
	bool same = str_eq(to, "/run") && str_eq(json_str_at(m, "type"), "tmpfs");

	for (size_t i = 0; same && i < ARRAY_SIZE(options); i++)
		same = json_has_str(json_at(m, "options"), options[i]);
	return same;
}

static int add_mount(const json_t *m, struct insp_container *c)
{
	const char *source = json_str_at(m, "source"), *to = json_str_at(m, "destination");
	struct insp_mount mount = {
		.type = (char *)mount_type(m),
		.destination = (char *)to,
		.read_only = json_has_str(json_at(m, "options"), "ro"),
	};

	/* the specification wants it absolute; what is not is the old way of saying the same */
	if (!mount.type || !to || is_engine_place(to) || is_engine_run(m, to))
		return 0;
	/* relative to the bundle, which is not known here; a tmpfs has only a name */
	if (source && source[0] == '/' && str_eq(mount.type, "bind"))
		mount.source = (char *)source;
	return container_add_mount(c, &mount);
}

static int add_mounts(const json_t *mounts, struct insp_container *c)
{
	json_t *m;
	size_t i;
	int r = 0;

	json_array_foreach (mounts, i, m) {
		r = add_mount(m, c);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_ids(const json_t *mappings, struct insp_id_map *map)
{
	json_t *m;
	size_t i;
	int r = 0;

	json_array_foreach (mappings, i, m) {
		int64_t inside = json_int_at(m, "containerID", -1);
		int64_t outside = json_int_at(m, "hostID", -1), count = json_int_at(m, "size", -1);

		if (inside >= 0 && outside >= 0 && count >= 0 && r == 0)
			r = container_add_ids(map, (uint64_t)inside, (uint64_t)outside,
					      (uint64_t)count);
	}
	return r;
}

int oci_spec_fill(const json_t *spec, unsigned want, struct insp_container *c)
{
	int r = 0;

	if (want & INSP_WANT_DETAIL) {
		if (!c->command)
			c->command = runtime_join_args(json_at(spec, "process.args"));
		if (!c->hostname)
			r = container_set(&c->hostname, json_str_at(spec, "hostname"));
	}
	if (r == 0 && (want & INSP_WANT_FILES))
		r = add_mounts(json_at(spec, "mounts"), c);
	if (r == 0 && (want & INSP_WANT_FILES) && c->uids.n == 0)
		r = add_ids(json_at(spec, "linux.uidMappings"), &c->uids);
	if (r == 0 && (want & INSP_WANT_FILES) && c->gids.n == 0)
		r = add_ids(json_at(spec, "linux.gidMappings"), &c->gids);
	if (r == 0 && (want & INSP_WANT_CONFIG) && !c->image_config)
		r = oci_image_config_of_process(json_at(spec, "process"), &c->image_config);
	if (r == 0 && (want & INSP_WANT_CONFIG) && !c->process)
		r = oci_process_of_spec(spec, NULL, &c->process);
	return r;
}

int oci_spec_rootfs(const json_t *spec, const char *bundle, char **ret)
{
	const char *path = json_str_at(spec, "root.path");

	if (!path)
		return 0;
	*ret = path[0] == '/' ? str_dup(path) : str_format("%s/%s", bundle, path);
	return *ret ? 0 : -ENOMEM;
}
