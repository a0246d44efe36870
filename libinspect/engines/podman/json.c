/*
 * containers-storage's own list of containers, for stores that have neither of podman's databases, or one that cannot be
 * read. Who it is comes from there, whether it lives from the runtime's record; exit codes are in the database only, and
 * stay unset.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"
#include "libinspect/engines/oci/runtime.h"

/*
 * The metadata string of a record is JSON of its own. buildah's have none, cri-o's name a pod sandbox: neither is
 * podman's.
 */
static bool podman_metadata(const struct storage_record *record, json_t **ret)
{
	_cleanup_json_ json_t *meta = NULL;

	if (storage_metadata(record, &meta) < 0 || json_at(meta, "pod-name") ||
	    json_at(meta, "pod-id"))
		return false;
	*ret = TAKE_PTR(meta);
	return true;
}

/* podman writes the OCI config when it starts a container: without it, it was never started. */
static int fill_from_config(const struct podman_store *s, const struct storage_record *record,
			    int userdata, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	_cleanup_free_ char *dir = NULL;
	int r;

	if (userdata < 0 || !(s->scan->want & INSP_WANT_DETAIL) ||
	    json_read_file(userdata, "config.json", storage_json_max(s->storage), &config, NULL) <
		    0)
		return 0;
	c->command = runtime_join_args(json_at(config, "process.args"));
	r = container_set(&c->hostname, json_str_at(config, "hostname"));
	if (r < 0 || faccessat(userdata, "ctr.log", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return r;
	dir = storage_userdata_path(s->storage, record);
	c->log_path = dir ? str_format("%s/ctr.log", dir) : NULL;
	return c->log_path ? 0 : -ENOMEM;
}

/* The pid file below the run root. It goes stale; podman_claim() looks closely. 0: none. */
static pid_t read_pidfile(const struct podman_store *s, const struct storage_record *record)
{
	_cleanup_close_ int fd = storage_open_rundata(s->storage, s->run_root, record);
	char buf[32];
	pid_t pid;

	if (fd < 0 || io_read_small_file(fd, "pidfile", buf, sizeof(buf)) <= 0)
		return 0;
	buf[strcspn(buf, "\n")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : pid;
}

/*
 * Whether it is known to be dead when nothing tells that it lives: not when its run directory is not where we look, which
 * only the database would say.
 */
static bool may_live(const struct podman_store *s, const struct storage_record *record)
{
	_cleanup_close_ int fd = storage_open_rundata(s->storage, s->run_root, record);

	return s->scan->sys->live && fd < 0;
}

static int fill_state(struct podman_store *s, const struct storage_record *record, int userdata,
		      struct insp_container *c)
{
	bool was_started =
		userdata >= 0 && faccessat(userdata, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int r = was_started ? podman_claim(s, c, read_pidfile(s, record), 0) : 0;

	if (r < 0)
		return r;
	c->state = was_started ? INSP_STATE_EXITED : INSP_STATE_CREATED;
	if (r == 0 && was_started && may_live(s, record))
		c->state = INSP_STATE_UNKNOWN;
	if (r == 0)
		return 0;
	c->state = freezer_frozen(&s->freezer, s->scan, c->pid) ? INSP_STATE_PAUSED
								: INSP_STATE_RUNNING;
	c->started = insp_sys_ticks_to_time(s->scan->sys, c->pid_start);
	return 0;
}

static int fill(struct podman_store *s, const struct storage_record *record, const json_t *meta,
		struct insp_container *c)
{
	_cleanup_close_ int userdata = storage_open_userdata(s->storage, record);
	int r = container_set(&c->image, json_str_at(meta, "image-name"));

	c->created = record->created;
	if (r == 0)
		r = container_set(&c->image_id, record->image);
	if (r == 0)
		r = fill_from_config(s, record, userdata, c);
	if (r == 0 && (s->scan->want & INSP_WANT_FILES))
		r = podman_fill_files(s, c, NULL);
	return r < 0 ? r : fill_state(s, record, userdata, c);
}

/* What a container's state is only a database says. */
static void note_missing(const struct podman_store *s)
{
	struct insp_err err = { 0 };

	if (!s->no_database)
		return;
	insp_err_say(&err, -ENOENT,
		     PODMAN_NAME " store '%s': it has containers, but neither of its databases",
		     s->path);
	insp_err_hint(&err, "exit codes, mounts and networks are not known");
	engine_scan_fail(s->scan, &err);
}

static int add_record(void *userdata, struct storage_root *root,
		      const struct storage_record *record)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *meta = NULL;
	struct podman_store *s = userdata;
	const char *name;
	int r;

	/* of a database that could be read in part */
	if (podman_sql_has(s, record->id) || !podman_metadata(record, &meta))
		return 0;
	note_missing(s);
	name = json_str_at(meta, "name");
	if (!name)
		name = record->name;
	if (!engine_scan_wants(s->scan, record->id, name))
		return 0;
	c = podman_new(s, record->id, name);
	if (!c)
		return -ENOMEM;
	r = fill(s, record, meta, c);
	return r < 0 ? r : engine_scan_add(s->scan, TAKE_PTR(c));
}

int podman_json_scan(struct podman_store *s)
{
	return storage_each_record(s->storage, NULL, add_record, s);
}
