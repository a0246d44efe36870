/*
 * What the configuration mounts into a container: volumes, directories and files of the host, tmpfs. MountPoints of
 * the record (moby volume/mounts/mounts.go, MountPoint), and --tmpfs, which only hostconfig.json has.
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"
#include "libinspect/kernel/subid.h"

#define HOSTCONFIG_MAX (4 * 1024 * 1024)
#define LOCAL_DRIVER   "local"
#define ALPHANUMERICS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* volume/names/names.go: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
static bool is_volume_name(const char *s)
{
	return strspn(s, ALPHANUMERICS) > 0 && !s[strspn(s, ALPHANUMERICS "_.-")];
}

/* The local driver's directory of a volume that the record has no path of, which is so until it was mounted once. */
static char *local_volume(const char *store, const char *name)
{
	return str_format("%s/volumes/%s/_data", store, name);
}

static int add_mount_point(const json_t *j, const char *destination, const char *store,
			   struct insp_container *c)
{
	const char *name = json_str_at(j, "Name"), *type = json_str_at(j, "Type");
	_cleanup_free_ char *local = NULL;
	struct insp_mount m = {
		/* records of 1.12 and older have no type */
		.type = (char *)(type	? type
				 : name ? "volume"
					: "bind"),
		.name = (char *)name,
		.source = (char *)json_str_at(j, "Source"),
		.destination = (char *)destination,
		.read_only = json_is_false(json_at(j, "RW")),
	};

	if (!m.source && name && str_eq(json_str_at(j, "Driver"), LOCAL_DRIVER) &&
	    is_volume_name(name)) {
		local = local_volume(store, name);
		if (!local)
			return -ENOMEM;
		m.source = local;
	}
	return container_add_mount(c, &m);
}

int docker_record_mounts(const struct docker_record *rec, const char *store,
			 struct insp_container *c)
{
	const char *destination;
	json_t *value;
	int r = 0;

	json_object_foreach (json_object_get(rec->json, "MountPoints"), destination, value) {
		if (*destination && json_is_object(value))
			r = add_mount_point(value, destination, store, c);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += strspn(p, ",")) {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

int docker_hostconfig_mounts(const json_t *hostconfig, struct insp_container *c)
{
	const char *destination;
	json_t *value;
	int r = 0;

	json_object_foreach (json_object_get(hostconfig, "Tmpfs"), destination, value) {
		const char *options = json_string_value(value);
		struct insp_mount m = {
			.type = (char *)"tmpfs",
			.destination = (char *)destination,
			.read_only = options && has_word(options, "ro"),
		};

		if (*destination)
			r = container_add_mount(c, &m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_ids(const struct idmap *from, struct insp_id_map *to)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++)
		r = container_add_ids(to, from->e[i].inside, from->e[i].outside, from->e[i].count);
	return r;
}

int docker_remapped_ids(const struct insp_sys *sys, const char *store, struct insp_container *c)
{
	const char *slash = strrchr(store, '/'), *dot = slash ? strchr(slash, '.') : NULL;
	struct span name = span_of(slash ? slash + 1 : "", slash ? strlen(slash + 1) : 0);
	struct idmap uids, gids;
	uint32_t uid, gid;
	int r;

	if (!dot || !span_u32(&name, &uid) || !span_after(&name, ".") || !span_u32(&name, &gid) ||
	    span_len(&name) > 0 || c->owner != 0)
		return 0;
	subid_remapped(sys, "subuid", uid, &uids);
	subid_remapped(sys, "subgid", gid, &gids);
	r = add_ids(&uids, &c->uids);
	return r < 0 ? r : add_ids(&gids, &c->gids);
}

int docker_mounts(const struct insp_sys *sys, int containers, const struct docker_root *root,
		  const struct docker_record *rec, struct insp_container *c, struct insp_err *err)
{
	static const char *const wanted[] = { "Tmpfs", "UsernsMode", NULL };
	_cleanup_json_ json_t *hostconfig = NULL;
	char path[DOCKER_ID_LEN + sizeof("/hostconfig.json")];
	int r = docker_record_mounts(rec, root->path, c);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/hostconfig.json", c->id);
	r = json_read_members(containers, path, HOSTCONFIG_MAX, wanted, &hostconfig, err);
	if (r < 0)
		return r;
	r = docker_hostconfig_mounts(hostconfig, c);
	/* --userns=host: its layers are those of the others, its ids the host's */
	return r < 0 || str_eq(json_str_at(hostconfig, "UsernsMode"), "host")
		       ? r
		       : docker_remapped_ids(sys, root->path, c);
}
