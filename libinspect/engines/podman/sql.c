/*
 * db.sql, podman's database since 4.8 (the only one since 6): tables ContainerConfig, ContainerState, PodConfig, DBConfig.
 * The columns State and ExitCode of ContainerState are those of the container's creation; its JSON is what counts.
 * docs/formats/podman.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/sqlite.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"

#define DB_FILE "db.sql"
#define DB_DIR \
	"libpod" /* where it is when no --root was given and the static directory was moved */

struct pod {
	char *id, *name;
};

struct sql {
	struct podman_store *store;
	struct sqlite *db;
	struct pod *pods;
	size_t n_pods;
	/* not yet handed over: what the second table says of them is missing */
	struct insp_container **found;
	size_t n_found;
	bool failed; /* a table could not be read, which was noted */
};

static void sql_done(struct sql *q)
{
	for (size_t i = 0; i < q->n_pods; i++) {
		free(q->pods[i].id);
		free(q->pods[i].name);
	}
	for (size_t i = 0; i < q->n_found; i++)
		insp_container_free(q->found[i]);
	free(q->pods);
	free(q->found);
	sqlite_free(q->db);
}

/* ---- DBConfig, PodConfig ---- */

static int set_paths(void *userdata, const struct sqlite_value *v)
{
	struct sql *q = userdata;

	return podman_set_paths(q->store, &(struct podman_paths){ v[0].data, v[1].data, v[2].data,
								  v[3].data });
}

static int add_pod(void *userdata, const struct sqlite_value *v)
{
	struct sql *q = userdata;
	struct pod *more;

	if (!v[0].data || !v[1].data)
		return 0;
	if (q->store->owner != 0 && q->n_pods >= PODMAN_USER_RECORDS_MAX)
		return -E2BIG;
	more = reallocarray(q->pods, q->n_pods + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	q->pods = more;
	more[q->n_pods] = (struct pod){ str_dup(v[0].data), str_dup(v[1].data) };
	q->n_pods++;
	return more[q->n_pods - 1].id && more[q->n_pods - 1].name ? 0 : -ENOMEM;
}

static const char *pod_name(const struct sql *q, const char *id)
{
	for (size_t i = 0; i < q->n_pods; i++)
		if (str_eq(q->pods[i].id, id))
			return q->pods[i].name;
	return id;
}

/* ---- ContainerConfig ---- */

static int note_id(struct podman_store *s, const char *id)
{
	/* in steps: a list of a thousand is nothing special */
	if (s->n_sql_ids % 64 == 0) {
		void *more = reallocarray(s->sql_ids, s->n_sql_ids + 64, sizeof(*s->sql_ids));

		if (!more)
			return -ENOMEM;
		s->sql_ids = more;
	}
	snprintf(s->sql_ids[s->n_sql_ids++], STORAGE_ID_LEN + 1, "%s", id);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool podman_sql_has(const struct podman_store *s, const char *id)
{
	return s->n_sql_ids > 0 &&
	       bsearch(id, s->sql_ids, s->n_sql_ids, sizeof(*s->sql_ids), compare_ids);
}

static int keep(struct sql *q, struct insp_container *c)
{
	void *more = reallocarray(q->found, q->n_found + 1, sizeof(struct insp_container *));

	if (!more) {
		insp_container_free(c);
		return -ENOMEM;
	}
	q->found = more;
	q->found[q->n_found++] = c;
	return 0;
}

/* Columns ID, Name, PodID, JSON. What cannot be read of one is noted; it is listed all the same. */
static int add_config(void *userdata, const struct sqlite_value *v)
{
	struct sql *q = userdata;
	struct podman_store *s = q->store;
	_cleanup_container_ struct insp_container *c = NULL;
	struct insp_err err = { 0 };
	int r;

	/* it is looked for in cgroup paths: nothing else may stand there */
	if (!v[0].data || !str_is_hex(v[0].data, STORAGE_ID_LEN))
		return 0;
	if (engine_scan_spend(s->scan, s->owner, s->path, v[3].len) == 0)
		return -E2BIG;
	r = note_id(s, v[0].data);
	if (r < 0 || !engine_scan_wants(s->scan, v[0].data, v[1].data))
		return r;
	c = podman_new(s, v[0].data, v[1].data);
	if (!c)
		return -ENOMEM;
	if (v[2].data && *v[2].data)
		r = container_set(&c->pod, pod_name(q, v[2].data));
	if (r == 0) {
		r = podman_fill_config(s, c, v[3].data ? v[3].data : "", v[3].len, &err);
		if (r < 0)
			r = podman_record_fail(s, c->id, r, &err);
	}
	return r < 0 ? r : keep(q, TAKE_PTR(c));
}

static int compare_found(const void *a, const void *b)
{
	const struct insp_container *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* A damaged table may have a row more than once; podman's has an id once. By id. */
static void sort_found(struct sql *q)
{
	size_t n = 0;

	if (q->n_found == 0)
		return;
	qsort(q->found, q->n_found, sizeof(*q->found), compare_found);
	for (size_t i = 0; i < q->n_found; i++) {
		if (n > 0 && str_eq(q->found[n - 1]->id, q->found[i]->id))
			insp_container_free(q->found[i]);
		else
			q->found[n++] = q->found[i];
	}
	q->n_found = n;
}

/* ---- ContainerState ---- */

static int compare_id_to_found(const void *id, const void *item)
{
	const struct insp_container *const *c = item;

	return strcmp(id, (*c)->id);
}

/* Columns ID, JSON. */
static int add_state(void *userdata, const struct sqlite_value *v)
{
	struct sql *q = userdata;
	struct insp_container **c = NULL;
	struct insp_err err = { 0 };
	int r;

	if (v[0].data && q->n_found > 0)
		c = bsearch(v[0].data, q->found, q->n_found, sizeof(*q->found),
			    compare_id_to_found);
	if (!c)
		return 0;
	r = podman_fill_state(q->store, *c, v[1].data ? v[1].data : "", v[1].len, &err);
	return r < 0 ? podman_record_fail(q->store, (*c)->id, r, &err) : 0;
}

/* ---- the whole ---- */

static int query(struct sql *q, const char *table, const char *const *columns, sqlite_row_fn fn)
{
	struct podman_store *s = q->store;
	struct insp_err err = { 0 };
	int r = sqlite_each(q->db, table, columns, fn, q, &err);

	/* a database that was only just made has no tables; a limit was noted where it was met */
	if (r == 0 || r == -ENOENT || r == -ENOMEM || r == -E2BIG)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(&err, r, PODMAN_NAME " store '%s': '" DB_FILE "'", s->path);
	if (!q->failed)
		engine_scan_fail(s->scan, &err);
	q->failed = true;
	return 0;
}

static int hand_over(struct sql *q)
{
	int r = 0;

	for (size_t i = 0; i < q->n_found && r == 0; i++) {
		struct insp_container *c = q->found[i];

		q->found[i] = NULL;
		r = engine_scan_add(q->store->scan, c);
	}
	return r;
}

static int read_tables(struct sql *q)
{
	static const char *const paths[] = { "GraphRoot", "RunRoot", "TmpDir", "VolumeDir", NULL };
	static const char *const pods[] = { "ID", "Name", NULL };
	static const char *const configs[] = { "ID", "Name", "PodID", "JSON", NULL };
	static const char *const states[] = { "ID", "JSON", NULL };
	struct podman_store *s = q->store;
	int r = query(q, "DBConfig", paths, set_paths);

	if (r == 0)
		r = query(q, "PodConfig", pods, add_pod);
	if (r == 0)
		r = query(q, "ContainerConfig", configs, add_config);
	if (r < 0)
		return r;
	if (s->n_sql_ids > 0)
		qsort(s->sql_ids, s->n_sql_ids, sizeof(*s->sql_ids), compare_ids);
	sort_found(q);
	r = query(q, "ContainerState", states, add_state);
	return r < 0 ? r : hand_over(q);
}

/* -ENOENT: there is none. */
static int open_database(const struct podman_store *s, struct sqlite **ret, struct insp_err *err)
{
	size_t max = s->owner == 0 ? SQLITE_FILE_MAX : PODMAN_USER_DB_MAX;
	int r = sqlite_read(s->fd, DB_FILE, max, ret, err);
	_cleanup_close_ int dir = r == -ENOENT ? io_open_dir(s->fd, DB_DIR) : -EBADF;

	return dir < 0 ? r : sqlite_read(dir, DB_FILE, max, ret, err);
}

/*
 * Whether a container that is looked for cannot be here: 1, 0, -ENOMEM. With the older database beside it all ids are needed,
 * they tell which of its records are out of use; and what the storage has, but not this one, may be lost in damage.
 */
static int is_of_no_use(const struct sql *q)
{
	struct podman_store *s = q->store;
	const char *ref = s->scan->match.ref;
	int r;

	if (!ref || sqlite_may_hold(q->db, ref) || podman_db_is_there(s))
		return 0;
	r = storage_may_hold(s->storage);
	return r < 0 ? r : r == 0;
}

int podman_sql_scan(struct podman_store *s)
{
	_cleanup_(sql_done) struct sql q = { .store = s };
	struct insp_err err = { 0 };
	int r = open_database(s, &q.db, &err);

	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		insp_err_wrap(&err, r, PODMAN_NAME " store '%s'", s->path);
		engine_scan_fail(s->scan, &err);
		return 0;
	}
	s->has_sql = true;
	r = is_of_no_use(&q);
	if (r != 0)
		return r;
	r = read_tables(&q);
	return r < 0 ? r : !q.failed;
}
