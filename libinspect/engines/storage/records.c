/*
 * The lists of containers of a graph root: DRIVER-containers/containers.json and, since containers-storage 1.45, for those
 * that go with a boot (podman run --rm), volatile-containers.json beside it.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/homes.h"
#include "libinspect/engines/storage/storage.h"

#include <sys/stat.h>

#define DRIVER_SUFFIX "-containers"
#define DRIVERS_MAX   16 /* there are six; a user may make directories of any name */

struct storage_driver {
	char *name; /* "overlay" */
	int fd;	    /* on NAME-containers */
	json_t *lists[2];
	struct storage_record *records;
	size_t n;
};

static const char *const list_files[] = { "containers.json", "volatile-containers.json" };

void storage_drivers_free(struct storage_root *root)
{
	for (size_t i = 0; i < root->n_drivers; i++) {
		struct storage_driver *d = &root->drivers[i];

		for (size_t k = 0; k < ARRAY_SIZE(list_files); k++)
			json_decref(d->lists[k]);
		util_close(d->fd);
		free(d->records);
		free(d->name);
	}
	free(root->drivers);
	root->drivers = NULL;
	root->n_drivers = 0;
}

size_t storage_json_max(const struct storage_root *root)
{
	return root->owner == 0 ? IO_STATE_MAX : STORAGE_USER_JSON_MAX;
}

static bool fill(const struct storage_driver *d, const json_t *json, struct storage_record *ret)
{
	const char *id = json_str_at(json, "id"), *created = json_str_at(json, "created");

	/* it is looked for in cgroup paths, and a directory's name: nothing else may stand there */
	if (!id || !str_is_hex(id, STORAGE_ID_LEN))
		return false;
	*ret = (struct storage_record){
		.driver = d->name,
		.id = id,
		.name = json_string_value(json_array_get(json_at(json, "names"), 0)),
		.image = json_str_at(json, "image"),
		.layer = json_str_at(json, "layer"),
		.metadata = json_str_at(json, "metadata"),
		.json = json,
	};
	if (created)
		str_to_time(created, &ret->created);
	return true;
}

static int add_records(const struct storage_root *root, struct storage_driver *d,
		       const json_t *list)
{
	size_t more = json_array_size(list), i;
	json_t *json;
	void *bigger;

	if (root->owner != 0 && more > STORAGE_USER_RECORDS_MAX)
		more = STORAGE_USER_RECORDS_MAX;
	bigger = reallocarray(d->records, d->n + more + 1, sizeof(*d->records));
	if (!bigger)
		return -ENOMEM;
	d->records = bigger;
	json_array_foreach (list, i, json)
		if (i < more && fill(d, json, &d->records[d->n]))
			d->n++;
	return 0;
}

static int list_fail(const struct storage_root *root, const struct storage_driver *d, int r,
		     struct insp_err *err)
{
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(err, r, "container storage '%s': %s" DRIVER_SUFFIX, root->path, d->name);
	engine_scan_fail(root->scan, err);
	return 0;
}

static int read_list(struct storage_root *root, struct storage_driver *d, size_t which)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	const char *file = list_files[which];
	struct insp_err err = { 0 };
	int r = io_read_file(d->fd, file, storage_json_max(root), &b, &err);

	if (r < 0)
		return list_fail(root, d, r, &err);
	if (engine_scan_spend(root->scan, root->owner, root->path, b.len) == 0)
		return 0;
	/* it is made empty before the first container is there */
	if (b.len == 0)
		return 0;
	r = json_parse(b.data, b.len, &d->lists[which], &err);
	if (r == 0)
		return add_records(root, d, d->lists[which]);
	insp_err_wrap(&err, r, "read '%s'", file);
	return list_fail(root, d, r, &err);
}

static int add_driver(struct storage_root *root, const char *dir)
{
	size_t len = strlen(dir) - strlen(DRIVER_SUFFIX);
	struct storage_driver *d;
	void *bigger;
	int r = 0;

	bigger = reallocarray(root->drivers, root->n_drivers + 1, sizeof(*root->drivers));
	if (!bigger)
		return -ENOMEM;
	root->drivers = bigger;
	d = &root->drivers[root->n_drivers];
	*d = (struct storage_driver){ .fd = io_open_dir(root->fd, dir) };
	if (d->fd < 0)
		return 0;
	root->n_drivers++;
	d->name = strndup(dir, len);
	if (!d->name)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(list_files) && r == 0; i++)
		r = read_list(root, d, i);
	return r;
}

static int read_drivers(struct storage_root *root)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int r;

	if (root->drivers_read)
		return 0;
	root->drivers_read = true;
	r = io_opendir(root->fd, ".", &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_dirent (de, dir) {
		if (!str_ends(de->d_name, DRIVER_SUFFIX) || de->d_name[0] == '-' ||
		    root->n_drivers >= DRIVERS_MAX)
			continue;
		r = add_driver(root, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

int storage_each_record(struct storage_root *root, storage_record_fn fn, void *userdata)
{
	int r = read_drivers(root);

	for (size_t i = 0; i < root->n_drivers; i++)
		for (size_t k = 0; k < root->drivers[i].n && r >= 0; k++)
			r = fn(userdata, root, &root->drivers[i].records[k]);
	return r < 0 ? r : 0;
}

int storage_find(struct storage_root *root, const char *id, const struct storage_record **ret)
{
	int r = read_drivers(root);

	*ret = NULL;
	for (size_t i = 0; i < root->n_drivers && r == 0; i++)
		for (size_t k = 0; k < root->drivers[i].n; k++)
			if (str_eq(root->drivers[i].records[k].id, id))
				*ret = &root->drivers[i].records[k];
	return r;
}

int storage_metadata(const struct storage_record *record, json_t **ret)
{
	_cleanup_json_ json_t *meta = NULL;

	if (!record->metadata ||
	    json_parse(record->metadata, strlen(record->metadata), &meta, NULL) < 0 ||
	    !json_is_object(meta))
		return -ENOENT;
	*ret = TAKE_PTR(meta);
	return 0;
}

int storage_open_dir(const struct storage_root *root, const char *path)
{
	_cleanup_close_ int fd = homes_open_dir(root->scan, root->owner, path);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == root->owner ? TAKE_FD(fd) : -EPERM;
}

/* DIR/DRIVER-containers/ID/userdata, every step without links. */
static int open_below(int dirfd, const struct storage_record *record)
{
	_cleanup_free_ char *name = str_format("%s" DRIVER_SUFFIX, record->driver);
	_cleanup_close_ int driver = name ? io_open_dir(dirfd, name) : -ENOMEM;
	_cleanup_close_ int dir = driver < 0 ? driver : io_open_dir(driver, record->id);

	return dir < 0 ? dir : io_open_dir(dir, "userdata");
}

int storage_open_userdata(const struct storage_root *root, const struct storage_record *record)
{
	return open_below(root->fd, record);
}

char *storage_userdata_path(const struct storage_root *root, const struct storage_record *record)
{
	return str_format("%s/%s" DRIVER_SUFFIX "/%s/userdata", root->path, record->driver,
			  record->id);
}

int storage_open_rundata(const struct storage_root *root, const char *run_root,
			 const struct storage_record *record)
{
	_cleanup_close_ int run = run_root ? storage_open_dir(root, run_root) : -ENOENT;

	return run < 0 ? run : open_below(run, record);
}
