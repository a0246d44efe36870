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

/* One file. It is read with its driver, and parsed when a container that is looked for may be in it. */
struct list {
	struct io_buf bytes; /* until then */
	json_t *json;
	struct storage_record *records;
	size_t n;
};
struct storage_driver {
	char *name; /* "overlay" */
	int fd;	    /* on NAME-containers */
	struct list lists[2];
};

static const char *const list_files[] = { "containers.json", "volatile-containers.json" };

void storage_drivers_free(struct storage_root *root)
{
	for (size_t i = 0; i < root->n_drivers; i++) {
		struct storage_driver *d = &root->drivers[i];

		for (size_t k = 0; k < ARRAY_SIZE(list_files); k++) {
			io_buf_free(&d->lists[k].bytes);
			json_decref(d->lists[k].json);
			free(d->lists[k].records);
		}
		util_close(d->fd);
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

static int add_records(const struct storage_root *root, const struct storage_driver *d,
		       struct list *list)
{
	size_t most = json_array_size(list->json), i;
	json_t *json;

	if (root->owner != 0 && most > STORAGE_USER_RECORDS_MAX)
		most = STORAGE_USER_RECORDS_MAX;
	list->records = calloc(most + 1, sizeof(*list->records));
	if (!list->records)
		return -ENOMEM;
	json_array_foreach (list->json, i, json)
		if (i < most && fill(d, json, &list->records[list->n]))
			list->n++;
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
	struct io_buf *b = &d->lists[which].bytes;
	struct insp_err err = { 0 };
	int r = io_read_file(d->fd, list_files[which], storage_json_max(root), b, &err);

	if (r < 0)
		return list_fail(root, d, r, &err);
	if (engine_scan_spend(root->scan, root->owner, root->path, b->len) == 0)
		io_buf_free(b);
	return 0;
}

static int parse_list(struct storage_root *root, struct storage_driver *d, size_t which)
{
	struct list *list = &d->lists[which];
	_cleanup_io_buf_ struct io_buf b = list->bytes;
	struct insp_err err = { 0 };
	int r;

	list->bytes = (struct io_buf){ 0 };
	/* it is made empty before the first container is there */
	if (b.len == 0)
		return 0;
	r = json_parse(b.data, b.len, &list->json, &err);
	if (r == 0)
		return add_records(root, d, list);
	insp_err_wrap(&err, r, "read '%s'", list_files[which]);
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
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r;

	if (root->drivers_read)
		return 0;
	root->drivers_read = true;
	r = io_dir_of(root->fd, &dir);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_entry (de, dir) {
		if (!str_ends(de->d_name, DRIVER_SUFFIX) || de->d_name[0] == '-' ||
		    root->n_drivers >= DRIVERS_MAX)
			continue;
		r = add_driver(root, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool holds(const struct list *list, const char *text)
{
	return list->bytes.len > 0 &&
	       memmem(list->bytes.data, list->bytes.len, text, strlen(text)) != NULL;
}

/* Whether JSON, also JSON in a string of JSON, has ref by its own letters: nothing of it is escaped. */
static bool is_plain(const char *ref)
{
	return ref[strspn(ref, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789_.-")] == '\0';
}

static bool may_match(const struct storage_root *root, const struct list *list, const char *mark)
{
	const char *ref = root->scan->match.ref;

	return !ref || !is_plain(ref) || holds(list, ref) || (mark && holds(list, mark));
}

int storage_may_hold(struct storage_root *root)
{
	int r = read_drivers(root);

	for (size_t i = 0; i < root->n_drivers && r == 0; i++)
		for (size_t k = 0; k < ARRAY_SIZE(list_files) && r == 0; k++) {
			const struct list *list = &root->drivers[i].lists[k];

			r = list->json || may_match(root, list, NULL);
		}
	return r;
}

static int each_of_list(struct storage_root *root, struct list *list, storage_record_fn fn,
			void *userdata)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r >= 0; i++)
		r = fn(userdata, root, &list->records[i]);
	return r < 0 ? r : 0;
}

int storage_each_record(struct storage_root *root, const char *mark, storage_record_fn fn,
			void *userdata)
{
	int r = read_drivers(root);

	for (size_t i = 0; i < root->n_drivers; i++)
		for (size_t k = 0; k < ARRAY_SIZE(list_files) && r == 0; k++) {
			struct storage_driver *d = &root->drivers[i];

			if (may_match(root, &d->lists[k], mark))
				r = parse_list(root, d, k);
			if (r == 0)
				r = each_of_list(root, &d->lists[k], fn, userdata);
		}
	return r;
}

static int find_in_list(struct storage_root *root, struct storage_driver *d, size_t which,
			const char *id, const struct storage_record **ret)
{
	struct list *list = &d->lists[which];
	int r = holds(list, id) ? parse_list(root, d, which) : 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		if (str_eq(list->records[i].id, id))
			*ret = &list->records[i];
	return r;
}

int storage_find(struct storage_root *root, const char *id, const struct storage_record **ret)
{
	int r = read_drivers(root);

	*ret = NULL;
	for (size_t i = 0; i < root->n_drivers; i++)
		for (size_t k = 0; k < ARRAY_SIZE(list_files) && r == 0; k++)
			r = find_in_list(root, &root->drivers[i], k, id, ret);
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
