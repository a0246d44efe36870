/*
 * containers-storage's own list of containers, DRIVER-containers/containers.json: for stores whose state is in a database
 * that is not read (SQLite, podman 5). Who it is comes from there, whether it lives from the runtime's record;
 * exit codes are in the database only, and stay unset.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"
#include "libinspect/engines/oci/runtime.h"

#define DRIVER_SUFFIX "-containers"
#define ID_LEN	      64

/* One driver's directory. */
struct driver {
	struct podman_store *store;
	const char *name; /* "overlay-containers" */
	int fd;
};

/*
 * The metadata string of a record is JSON of its own. buildah's have none, cri-o's name a pod sandbox: neither is
 * podman's.
 */
static bool podman_metadata(const json_t *record, json_t **ret)
{
	const char *text = json_str_at(record, "metadata");
	_cleanup_json_ json_t *meta = NULL;

	if (!text || json_parse(text, strlen(text), &meta, NULL) < 0)
		return false;
	if (!json_is_object(meta) || json_at(meta, "pod-name") || json_at(meta, "pod-id"))
		return false;
	*ret = TAKE_PTR(meta);
	return true;
}

static const char *record_name(const json_t *record, const json_t *meta)
{
	const char *name = json_str_at(meta, "name");

	return name ? name : json_string_value(json_array_get(json_at(record, "names"), 0));
}

/* ID/userdata below the driver's directory, every step without links. fd or -errno. */
static int open_userdata(const struct driver *d, const char *id)
{
	_cleanup_close_ int dir = io_open_dir(d->fd, id);

	return dir < 0 ? dir : io_open_dir(dir, "userdata");
}

/* podman writes the OCI config when it starts a container: without it, it was never started. */
static int fill_from_config(const struct driver *d, int userdata, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	int r;

	if (userdata < 0 || !(d->store->scan->want & INSP_WANT_DETAIL) ||
	    json_read_file(userdata, "config.json", podman_json_max(d->store), &config, NULL) < 0)
		return 0;
	c->command = runtime_join_args(json_at(config, "process.args"));
	r = container_set(&c->hostname, json_str_at(config, "hostname"));
	if (r == 0 && faccessat(userdata, "ctr.log", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		c->log_path =
			str_format("%s/%s/%s/userdata/ctr.log", d->store->path, d->name, c->id);
		r = c->log_path ? 0 : -ENOMEM;
	}
	return r;
}

/* The pid file below the run root. It goes stale; podman_claim() looks closely. 0: none. */
static pid_t read_pidfile(const struct driver *d, const char *id)
{
	_cleanup_close_ int run = podman_open_dir(d->store, d->store->run_root);
	_cleanup_close_ int driver = run < 0 ? run : io_open_dir(run, d->name);
	_cleanup_close_ int dir = driver < 0 ? driver : io_open_dir(driver, id);
	_cleanup_close_ int userdata = dir < 0 ? dir : io_open_dir(dir, "userdata");
	char buf[32];
	pid_t pid;

	if (userdata < 0 || io_read_small(userdata, "pidfile", buf, sizeof(buf)) <= 0)
		return 0;
	buf[strcspn(buf, "\n")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : pid;
}

static int fill_state(const struct driver *d, int userdata, struct insp_container *c)
{
	struct podman_store *s = d->store;
	bool was_started =
		userdata >= 0 && faccessat(userdata, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int r = was_started ? podman_claim(s, c, read_pidfile(d, c->id), 0) : 0;

	if (r < 0)
		return r;
	c->state = was_started ? INSP_STATE_EXITED : INSP_STATE_CREATED;
	if (r == 0)
		return 0;
	c->state = freezer_frozen(&s->freezer, s->scan, c->pid) ? INSP_STATE_PAUSED
								: INSP_STATE_RUNNING;
	c->started = insp_sys_ticks_to_time(s->scan->sys, c->pid_start);
	return 0;
}

static int fill(const struct driver *d, const json_t *record, const json_t *meta,
		struct insp_container *c)
{
	_cleanup_close_ int userdata = open_userdata(d, c->id);
	const char *created = json_str_at(record, "created");
	int r = container_set(&c->image, json_str_at(meta, "image-name"));

	if (created)
		str_to_time(created, &c->created);
	if (r == 0)
		r = container_set(&c->image_id, json_str_at(record, "image"));
	if (r == 0)
		r = fill_from_config(d, userdata, c);
	return r < 0 ? r : fill_state(d, userdata, c);
}

static int add_record(const struct driver *d, const json_t *record)
{
	_cleanup_container_ struct insp_container *c = NULL;
	const char *id = json_str_at(record, "id"), *name;
	_cleanup_json_ json_t *meta = NULL;
	int r;

	if (!id || !str_is_hex(id, ID_LEN) || !podman_metadata(record, &meta))
		return 0;
	name = record_name(record, meta);
	if (!engine_scan_wants(d->store->scan, id, name))
		return 0;
	c = podman_new(d->store, id, name);
	if (!c)
		return -ENOMEM;
	r = fill(d, record, meta, c);
	return r < 0 ? r : engine_scan_add(d->store->scan, TAKE_PTR(c));
}

static int scan_list(const struct driver *d, const char *file)
{
	_cleanup_json_ json_t *list = NULL;
	struct insp_err err = { 0 };
	json_t *record;
	size_t i;
	int r = json_read_file(d->fd, file, podman_json_max(d->store), &list, &err);

	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		insp_err_wrap(&err, r, PODMAN_NAME " store '%s': %s", d->store->path, d->name);
		engine_scan_fail(d->store->scan, &err);
		return 0;
	}
	json_array_foreach (list, i, record) {
		if (d->store->owner != 0 && i >= PODMAN_USER_RECORDS_MAX)
			break;
		r = add_record(d, record);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_driver(struct podman_store *s, const char *name)
{
	struct driver d = { .store = s, .name = name };
	_cleanup_close_ int fd = io_open_dir(s->fd, name);
	int r;

	if (fd < 0)
		return 0;
	d.fd = fd;
	r = scan_list(&d, "containers.json");
	/* those of podman run --rm, since podman 4.4 */
	return r < 0 ? r : scan_list(&d, "volatile-containers.json");
}

int podman_json_scan(struct podman_store *s)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int r = io_opendir(s->fd, ".", &dir);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_dirent (de, dir) {
		r = str_ends(de->d_name, DRIVER_SUFFIX) ? scan_driver(s, de->d_name) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
