#include "libinspect/engines/oci/store.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define RUN_USER "/run/user"
/* beside a record from create until start: the process waits on it */
#define CREATED_FIFO "exec.fifo"

int store_read_json(const struct store_root *root, int recordfd, const char *file,
		    const char *const *keys, json_t **ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	size_t max = root->owner == 0 ? IO_STATE_MAX : STORE_USER_FILE_MAX;
	int r = io_read_file(recordfd, file, max, &b, err);

	if (r < 0)
		return r;
	(void)engine_scan_spend(root->scan, root->owner, root->path, b.len);
	r = keys ? json_parse_members(b.data, b.len, keys, ret, err)
		 : json_parse(b.data, b.len, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "read '%s'", file) : 0;
}

int store_record_fail(const struct store_root *root, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, "%s container %.12s", root->engine, id);
	engine_scan_fail(root->scan, err);
	return 0;
}

/* What is mounted for a living container; for others, and only by root's word, what is at the path it names. */
static int fill_layers(const struct store_root *root, struct insp_container *c)
{
	int r = engine_layers_from_mounts(root->scan, c, NULL);

	if (r < 0 || root->owner != 0 || !c->rootfs)
		return r;
	return engine_layers_of_dir(root->scan, c->rootfs, c);
}

static int add_record(const struct store_root *root, int fd, const char *id)
{
	const struct store_format *format = root->format;
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *record = NULL;
	struct insp_err err = { 0 };
	int r = store_read_json(root, fd, format->file, format->members, &record, &err);

	/* the directory is made first and goes last */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return store_record_fail(root, id, r, &err);
	c = container_new(root->engine, id);
	if (!c)
		return -ENOMEM;
	r = format->fill(root, fd, record, c);
	if (r == 0)
		r = fill_layers(root, c);
	return r < 0 ? r : engine_scan_add(root->scan, TAKE_PTR(c));
}

static int add_records(const struct store_root *root)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct insp_err err = { 0 };
	int r = io_dir_of(root->fd, &dir);

	if (r < 0) {
		insp_err_set(&err, r, "%s store: list '%s'", root->engine, root->path);
		engine_scan_fail(root->scan, &err);
		return 0;
	}
	for_each_entry (de, dir) {
		_cleanup_close_ int fd = -EBADF;

		if (root->format->entry) {
			r = root->format->entry(root, de->d_name);
			if (r < 0)
				return r;
			continue;
		}
		if (!engine_scan_wants(root->scan, de->d_name, de->d_name) ||
		    engine_scan_has_id(root->scan, de->d_name, root->owner))
			continue;
		if (engine_scan_spend(root->scan, root->owner, root->path, 0) == 0)
			break;
		fd = io_open_dir(root->fd, de->d_name);
		if (fd < 0)
			continue;
		r = add_record(root, fd, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Takes fd. */
static int call_root(struct store_root *root, int fd)
{
	_cleanup_close_ int dirfd = fd;
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return 0;
	root->fd = dirfd;
	root->owner = st.st_uid;
	return add_records(root);
}

/* A root that the host or the caller names. */
static int named_root(struct store_root *root, const char *path, bool must_be)
{
	int fd = sys_open_dir(root->scan->sys, path);

	root->path = path;
	if (fd >= 0)
		return call_root(root, fd);
	if (fd == -ENOENT && !must_be)
		return 0;
	if (fd != -ENOMEM) {
		struct insp_err err = { 0 };

		insp_err_set(&err, fd, "%s store: open '%s'", root->engine, path);
		if (fd == -EACCES)
			insp_err_hint(&err, "its containers are root's: run this as root");
		engine_scan_fail(root->scan, &err);
	}
	return fd == -ENOMEM ? fd : 0;
}

/*
 * A user's root. Everything from here on is the user's to arrange: no link is followed. What may not be read
 * (another user's directory, without root) is not there for the caller.
 */
static int user_root(struct store_root *root, int run_user, uid_t uid, const char *user_dir)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int home = -EBADF;
	_cleanup_close_ int fd = -EBADF;
	char uid_name[16];
	struct stat st;

	snprintf(uid_name, sizeof(uid_name), "%u", (unsigned)uid);
	home = io_open_dir(run_user, uid_name);
	fd = home < 0 ? home : io_open_dir(home, user_dir);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || st.st_uid != uid)
		return 0;
	path = str_format(RUN_USER "/%s/%s", uid_name, user_dir);
	if (!path)
		return -ENOMEM;
	root->path = path;
	return call_root(root, TAKE_FD(fd));
}

static int user_roots(struct store_root *root, const char *user_dir)
{
	const uid_t *uids;
	size_t n;
	int fd, r = engine_scan_run_users(root->scan, &fd, &uids, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = user_root(root, fd, uids[i], user_dir);
	return r;
}

int store_scan(struct engine_scan *scan, const struct runtime *runtime,
	       const struct store_format *format)
{
	_cleanup_freezer_ struct freezer freezer = { 0 };
	struct store_root root = {
		.scan = scan, .engine = runtime->name, .freezer = &freezer, .format = format
	};
	int r = named_root(&root, runtime->root, false);

	for (size_t i = 0; r == 0 && i < scan->sys->n_stores; i++)
		if (str_eq(scan->sys->stores[i].engine, runtime->name) &&
		    !str_eq(scan->sys->stores[i].path, runtime->root))
			r = named_root(&root, scan->sys->stores[i].path, true);
	return r < 0 ? r : user_roots(&root, runtime->user_dir);
}

int store_fill(const struct store_root *root, struct insp_container *c, const char *created,
	       const char *rootfs)
{
	int r = container_set(&c->name, c->id);

	c->owner = root->owner;
	if (created)
		str_to_time(created, &c->created);
	if (r == 0)
		r = container_set(&c->store, root->path);
	return r < 0 ? r : container_set(&c->rootfs, rootfs);
}

int store_set_state(const struct store_root *root, int recordfd, const struct runtime_init *init,
		    struct insp_container *c)
{
	bool created = faccessat(recordfd, CREATED_FIFO, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int r = init ? engine_claim_init(root->scan, c, init->pid, init->start) : 0;

	if (r < 0)
		return r;
	c->state = INSP_STATE_EXITED;
	/* on a host that is not the live one no process is looked at: its files say that it was never started */
	if (r == 0 && created && !root->scan->sys->live)
		c->state = INSP_STATE_CREATED;
	if (r == 0)
		return 0;
	c->state = created ? INSP_STATE_CREATED : INSP_STATE_RUNNING;
	if (created)
		return 0;
	if (freezer_frozen(root->freezer, root->scan, c->pid))
		c->state = INSP_STATE_PAUSED;
	c->started = insp_sys_ticks_to_time(root->scan->sys, c->pid_start);
	return 0;
}
