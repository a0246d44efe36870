/*
 * libpod/bolt_state.db, the database of podman up to 4 (and of 5 where it was there before): buckets all-ctrs/ID=NAME,
 * ctr/ID/{config,state,pod-id}, allPods/ID=NAME, runtime-config. docs/formats/podman.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"

#include <inttypes.h>
#include <sys/stat.h>

#define DB_DIR	"libpod"
#define DB_FILE "bolt_state.db"
#define ID_LEN	64

struct db {
	struct podman_store *store;
	struct bolt_bucket ctrs, pods;
	bool has_ctrs, has_pods;
	size_t records;
};

static int slice_dup(struct bolt_slice slice, char **ret)
{
	char *s = strndup(slice.data, slice.len);

	if (!s)
		return -ENOMEM;
	free(*ret);
	*ret = s;
	return 0;
}

/* A string of runtime-config; NULL when it has none. */
static int conf_string(const struct bolt_bucket *conf, const char *key, char **ret)
{
	struct bolt_slice v;

	if (bolt_get(conf, key, &v) < 0 || v.len == 0)
		return 0;
	return slice_dup(v, ret);
}

static int read_paths(struct podman_store *s, const struct bolt_bucket *root)
{
	_cleanup_free_ char *graph = NULL, *run = NULL, *tmp = NULL, *volumes = NULL;
	struct bolt_bucket conf;
	int r;

	if (bolt_bucket(root, "runtime-config", &conf) < 0)
		return 0;
	r = conf_string(&conf, "graph-root", &graph);
	if (r == 0)
		r = conf_string(&conf, "run-root", &run);
	if (r == 0)
		r = conf_string(&conf, "tmp-dir", &tmp);
	if (r == 0)
		r = conf_string(&conf, "volume-path", &volumes);
	return r < 0 ? r : podman_set_paths(s, &(struct podman_paths){ graph, run, tmp, volumes });
}

static int set_pod(const struct db *db, const struct bolt_bucket *ctr, struct insp_container *c)
{
	_cleanup_free_ char *id = NULL;
	struct bolt_slice v;
	int r;

	if (bolt_get(ctr, "pod-id", &v) < 0)
		return 0;
	r = slice_dup(v, &id);
	if (r == 0 && db->has_pods && bolt_get(&db->pods, id, &v) == 0)
		return slice_dup(v, &c->pod);
	return r < 0 ? r : container_set(&c->pod, id);
}

/* What can be read of the record is put into c; what cannot is noted. */
static int fill(const struct db *db, struct insp_container *c)
{
	struct podman_store *s = db->store;
	struct insp_err err = { 0 };
	struct bolt_bucket ctr;
	struct bolt_slice v;
	int r = db->has_ctrs ? bolt_bucket(&db->ctrs, c->id, &ctr) : -ENOENT;

	/* a damaged page is said once, at the end */
	if (r == -EBADMSG)
		return 0;
	if (r < 0) {
		insp_err_say(&err, r, "no record in '" DB_DIR "/" DB_FILE "'");
		return podman_record_fail(s, c->id, r, &err);
	}
	r = set_pod(db, &ctr, c);
	if (r == 0 && bolt_get(&ctr, "config", &v) == 0) {
		r = podman_fill_config(s, c, v.data, v.len, &err);
		if (r < 0)
			r = podman_record_fail(s, c->id, r, &err);
	}
	if (r == 0 && bolt_get(&ctr, "state", &v) == 0) {
		r = podman_fill_state(s, c, v.data, v.len, &err);
		if (r < 0)
			r = podman_record_fail(s, c->id, r, &err);
	}
	return r;
}

/* Whether a user's database has more containers than anybody runs. */
static bool too_many(struct db *db)
{
	struct insp_err err = { 0 };

	if (db->store->owner == 0 || ++db->records <= PODMAN_USER_RECORDS_MAX)
		return false;
	insp_err_say(&err, -E2BIG, PODMAN_NAME " store '%s': more than %d containers",
		     db->store->path, PODMAN_USER_RECORDS_MAX);
	engine_scan_fail(db->store->scan, &err);
	return true;
}

/* Whether a container of a database that may be out of use is still one: 1, 0, -ENOMEM. */
static int is_left(const struct podman_store *s, const char *id)
{
	const struct storage_record *record;
	int r;

	if (podman_sql_has(s, id))
		return 0;
	r = storage_find(s->storage, id, &record);
	return r < 0 ? r : record != NULL;
}

static int add_record(void *userdata, struct bolt_slice key, struct bolt_slice value,
		      const struct bolt_bucket *bucket)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_free_ char *name = NULL;
	struct db *db = userdata;
	char id[ID_LEN + 1] = "";
	int r;

	if (key.len == ID_LEN)
		memcpy(id, key.data, ID_LEN);
	/* the id is looked for in cgroup paths: nothing else may stand there */
	if (bucket || !str_is_hex(id, ID_LEN))
		return 0;
	if (too_many(db))
		return -E2BIG;
	r = db->store->has_sql ? is_left(db->store, id) : 1;
	if (r <= 0)
		return r;
	r = slice_dup(value, &name);
	if (r < 0 || !engine_scan_wants(db->store->scan, id, name))
		return r;
	c = podman_new(db->store, id, name);
	if (!c)
		return -ENOMEM;
	r = fill(db, c);
	return r < 0 ? r : engine_scan_add(db->store->scan, TAKE_PTR(c));
}

static void note_damage(const struct podman_store *s, const struct bolt *bolt)
{
	struct insp_err err = { 0 };
	uint64_t page;

	if (!bolt_damage(bolt, &page))
		return;
	insp_err_say(&err, -EBADMSG,
		     PODMAN_NAME " store '%s': '" DB_DIR "/" DB_FILE "' is damaged: page %" PRIu64,
		     s->path, page);
	insp_err_hint(&err, "containers, or what is known of them, may be missing");
	engine_scan_fail(s->scan, &err);
}

static int scan_database(struct podman_store *s, const struct bolt *bolt)
{
	struct bolt_bucket root = bolt_root(bolt), all;
	struct db db = { .store = s };
	int r = read_paths(s, &root);

	if (r < 0)
		return r;
	db.has_ctrs = bolt_bucket(&root, "ctr", &db.ctrs) == 0;
	db.has_pods = bolt_bucket(&root, "allPods", &db.pods) == 0;
	r = bolt_bucket(&root, "all-ctrs", &all);
	if (r == 0)
		r = bolt_each(&all, add_record, &db);
	/* a database that was only just made has no buckets; too many records were noted */
	note_damage(s, bolt);
	return r == -ENOMEM ? r : 1;
}

static int open_database(const struct podman_store *s, struct bolt **ret, struct insp_err *err)
{
	size_t max = s->owner == 0 ? BOLT_FILE_MAX : PODMAN_USER_DB_MAX;
	_cleanup_close_ int dir = io_open_dir(s->fd, DB_DIR);
	_cleanup_close_ int fd = -EBADF;

	if (dir < 0)
		return insp_err_set(err, dir, "open '" DB_DIR "'");
	fd = io_open_regular(dir, DB_FILE);
	if (fd < 0)
		return insp_err_set(err, fd, "open '" DB_DIR "/" DB_FILE "'");
	return bolt_read(fd, max, ret, err);
}

bool podman_db_is_there(const struct podman_store *s)
{
	_cleanup_close_ int dir = io_open_dir(s->fd, DB_DIR);
	struct stat st;

	if (dir < 0)
		return dir != -ENOENT;
	return fstatat(dir, DB_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int podman_db_scan(struct podman_store *s)
{
	_cleanup_bolt_ struct bolt *bolt = NULL;
	struct insp_err err = { 0 };
	int r = open_database(s, &bolt, &err);

	if (r == 0)
		return scan_database(s, bolt);
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(&err, r, PODMAN_NAME " store '%s'", s->path);
	engine_scan_fail(s->scan, &err);
	return 0;
}
