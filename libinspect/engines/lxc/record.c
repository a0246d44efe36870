#include "libinspect/engines/lxc/record.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/base/yaml.h"
#include "libinspect/engines/oci/process.h"

#define LABELS_MAX  1024
#define DEVICES_MAX 1024

int lxd_record_parse(const char *buf, size_t len, json_t **ret, struct insp_err *err)
{
	_cleanup_json_ json_t *all = NULL;
	json_t *record;
	int r = yaml_parse(buf, len, &all, err);

	if (r < 0)
		return r;
	record = json_object_get(all, "container");
	if (!record)
		record = json_object_get(all, "instance");
	if (!json_is_object(record))
		return insp_err_say(err, -EBADMSG, "no container in it");
	*ret = json_incref(record);
	return 0;
}

/* Keys have dots in them: no path. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && *s ? s : NULL;
}

/* The operator's own keys: user.* */
static int add_labels(const json_t *config, struct insp_container *c)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)config, key, value) {
		int r;

		if (!str_starts(key, "user.") || !json_is_string(value) ||
		    c->n_labels >= LABELS_MAX)
			continue;
		r = container_add_label(c, key, json_string_value(value));
		if (r < 0)
			return r;
	}
	return 0;
}

/* A custom volume of a pool: DIR/storage-pools/POOL/custom/PROJECT_VOLUME; its own mount may not be there. */
static int set_volume_source(const json_t *device, const char *dir, const char *project,
			     struct insp_mount *m)
{
	const char *pool = text_of(device, "pool");

	if (!m->name || strchr(m->name, '/') || strchr(pool, '/') || !project)
		return 0;
	m->source = str_format("%s/storage-pools/%s/custom/%s_%s", dir, pool, project, m->name);
	return m->source ? 0 : -ENOMEM;
}

static int add_device(const json_t *device, const char *dir, struct insp_container *c)
{
	const char *path = text_of(device, "path"), *source = text_of(device, "source");
	const char *read_only = text_of(device, "readonly");
	struct insp_mount m = { .type = (char *)"bind", .destination = (char *)path };
	_cleanup_free_ char *volume = NULL;
	int r = 0;

	/* "/" is the container's own root */
	if (!str_eq(text_of(device, "type"), "disk") || !path || str_eq(path, "/") || !source)
		return 0;
	if (text_of(device, "pool")) {
		m.type = (char *)"volume";
		m.name = (char *)source;
		r = set_volume_source(device, dir, c->project, &m);
		volume = m.source;
	} else if (source[0] == '/') {
		m.source = (char *)source;
	}
	m.read_only = str_eq(read_only, "true") || str_eq(read_only, "1");
	return r < 0 ? r : container_add_mount(c, &m);
}

static int add_mounts(const json_t *devices, const char *dir, struct insp_container *c)
{
	const char *key;
	json_t *device;
	int r = 0;

	json_object_foreach ((json_t *)devices, key, device) {
		if (r < 0 || c->n_mounts >= DEVICES_MAX)
			break;
		r = add_device(device, dir, c);
	}
	return r;
}

static int fill_image(const json_t *config, struct insp_container *c)
{
	const char *image = text_of(config, "image.description");
	int r = container_set(&c->image, image ? image : text_of(config, "image.os"));

	return r < 0 ? r : container_set(&c->image_id, text_of(config, "volatile.base_image"));
}

/* [{"Isuid":true,"Isgid":false,"Hostid":100000,"Nsid":0,"Maprange":65536}, …], as text in the record */
static int add_ids(const char *text, struct insp_container *c)
{
	_cleanup_json_ json_t *map = NULL;
	json_t *e;
	size_t i;
	int r = text ? json_parse(text, strlen(text), &map, NULL) : -ENODATA;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	json_array_foreach (map, i, e) {
		int64_t inside = json_int_at(e, "Nsid", -1), outside = json_int_at(e, "Hostid", -1);
		int64_t count = json_int_at(e, "Maprange", -1);

		if (inside < 0 || outside < 0 || count < 0)
			continue;
		if (r == 0 && json_bool_at(e, "Isuid"))
			r = container_add_ids(&c->uids, (uint64_t)inside, (uint64_t)outside,
					      (uint64_t)count);
		if (r == 0 && json_bool_at(e, "Isgid"))
			r = container_add_ids(&c->gids, (uint64_t)inside, (uint64_t)outside,
					      (uint64_t)count);
	}
	return r;
}

int lxd_record_fill(const json_t *record, unsigned want, const char *dir, struct insp_container *c)
{
	const json_t *config = json_object_get(record, "expanded_config");
	const char *created = text_of(record, "created_at"), *project = text_of(record, "project");
	int r;

	if (!json_is_object(config))
		config = json_object_get(record, "config");
	/* the year 1 stands for "never" */
	if (created && (str_to_time(created, &c->created) < 0 || c->created < 0))
		c->created = 0;
	r = fill_image(config, c);
	if (r == 0 && project)
		r = container_set(&c->project, project);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = add_labels(config, c);
	if (r == 0 && (want & INSP_WANT_CONFIG))
		r = oci_process_of_command(NULL, "/sbin/init", &c->process);
	if (r == 0 && (want & INSP_WANT_FILES))
		r = add_mounts(json_object_get(record, "expanded_devices"), dir, c);
	if (r == 0 && (want & INSP_WANT_FILES))
		r = add_ids(text_of(config, "volatile.idmap.current")
				    ? text_of(config, "volatile.idmap.current")
				    : text_of(config, "volatile.idmap.next"),
			    c);
	return r;
}
