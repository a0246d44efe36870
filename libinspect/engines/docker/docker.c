/* Docker: containers/ID/config.v2.json below each data root (docs/formats/docker.md). */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define RECORD	    "config.v2.json"
#define HOST_CONFIG "hostconfig.json"
#define RECORD_MAX  (4 * 1024 * 1024)
/* The daemon makes a container's directory and its record within milliseconds; a busy disk may take seconds. */
#define IN_BETWEEN_S 5

/* A scan of one root. */
struct docker_scan {
	struct engine_scan *scan;
	struct docker_root *root;
	int containers; /* the directory */
};

static bool has(const struct io_buf *b, const char *s)
{
	return memmem(b->data, b->len, s, strlen(s)) != NULL;
}

/* A name is [a-zA-Z0-9_.-]: JSON writes it as it is. Anything else would be no name of docker's. */
static bool may_match(const struct engine_scan *scan, const char *id, const struct io_buf *b)
{
	_cleanup_free_ char *quoted = NULL;

	if (!scan->match.ref || str_starts(id, scan->match.ref))
		return true;
	quoted = str_format("/%s\"", scan->match.ref);
	return !quoted || has(b, quoted);
}

/* Not running, by a record that is whole: nothing of it is asked for. */
static bool plainly_stopped(const struct engine_scan *scan, const struct io_buf *b)
{
	size_t end = b->len;

	if (scan->want & INSP_WANT_STOPPED)
		return false;
	while (end > 0 && (b->data[end - 1] == '\n' || b->data[end - 1] == ' '))
		end--;
	return end > 0 && b->data[end - 1] == '}' && has(b, "\"Running\":false") &&
	       !has(b, "\"Running\":true");
}

/* The container's root as it is mounted, or the tree that it is. */
static int fill_rootfs(const struct docker_scan *ds, const struct docker_record *rec,
		       struct insp_container *c)
{
	char mount_id[DOCKER_LAYER_ID_MAX + 1];
	int r;

	if (c->pid <= 0 || !rec->driver || strchr(rec->driver, '/'))
		return 0;
	r = docker_mount_id(ds->root, rec, c->id, mount_id);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && str_eq(rec->driver, "vfs"))
		c->rootfs = str_format("%s/vfs/dir/%s", ds->root->path, mount_id);
	else if (r == 0)
		c->rootfs = str_format("%s/%s/%s/merged", ds->root->path, rec->driver, mount_id);
	else
		c->rootfs = str_format("%s/rootfs/%s/%s", ds->root->path, rec->driver, c->id);
	if (!c->rootfs)
		return -ENOMEM;
	/* of a container in containerd's image store; any other has none */
	if (r < 0 && faccessat(ds->root->fd, c->rootfs + strlen(ds->root->path) + 1, F_OK,
			       AT_SYMLINK_NOFOLLOW) < 0)
		return container_set(&c->rootfs, NULL);
	return 0;
}

/* The record's word is not enough: a daemon that died has left it as it was. */
static int check_life(const struct docker_scan *ds, const struct docker_record *rec,
		      struct insp_container *c)
{
	bool has_process = c->state == INSP_STATE_RUNNING || c->state == INSP_STATE_PAUSED ||
			   (c->state == INSP_STATE_RESTARTING && rec->pid > 0);
	int r = 0;

	if (!has_process)
		return 0;
	if (rec->pid > 0 && ds->scan->sys->live)
		r = docker_claim_init(ds->scan, ds->root, rec, c);
	/* it restarts between two processes; otherwise it ended when nobody was there to note how */
	if (r == 0 && c->state != INSP_STATE_RESTARTING)
		c->state = INSP_STATE_EXITED; /* exit code and end are unset already */
	return r;
}

static int fail(const struct docker_scan *ds, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, "docker container %.12s", id);
	if (r == -EACCES || r == -EPERM)
		insp_err_hint(err, "docker's data root is readable by root only: run as root");
	engine_scan_fail(ds->scan, err);
	return 0;
}

/* Names the file, not its directory: that is the container's id, which the message has already. */
static int read_record(const struct docker_scan *ds, const char *id, struct io_buf *b,
		       struct insp_err *err)
{
	char path[DOCKER_ID_LEN + sizeof("/" RECORD)];
	int r;

	snprintf(path, sizeof(path), "%s/%s", id, RECORD);
	r = io_read_file(ds->containers, path, RECORD_MAX, b, NULL);
	if (r == -EINVAL)
		return insp_err_say(err, r, "read '%s': not a regular file", RECORD);
	return r < 0 ? insp_err_set(err, r, "read '%s'", RECORD) : 0;
}

/*
 * Whether the record has gone since it was read, or says that its container is about to: the daemon notes that before
 * it takes the layers away (daemon/delete.go).
 */
static bool is_going(const struct docker_scan *ds, const struct insp_container *c)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct insp_err err = { 0 };
	int r = read_record(ds, c->id, &b, &err);

	return r == -ENOENT || (r == 0 && has(&b, "\"Dead\":true"));
}

/* What cannot be read of a container's files does not hide the container. */
static int fill_files(const struct docker_scan *ds, const struct docker_record *rec,
		      struct insp_container *c)
{
	struct insp_err err = { 0 };
	int r = docker_layers(ds->scan, ds->root, rec, c, &err);

	if (r < 0 && r != -ENOMEM && !is_going(ds, c))
		r = fail(ds, c->id, r, &err);
	if (r == -ENOMEM)
		return r;
	r = docker_mounts(ds->scan->sys, ds->containers, ds->root, rec, c, &err);
	return r < 0 && r != -ENOENT ? fail(ds, c->id, r, &err) : 0;
}

static int fill_process(const struct docker_scan *ds, const struct docker_record *rec,
			struct insp_container *c)
{
	char path[DOCKER_ID_LEN + sizeof("/" HOST_CONFIG)];
	_cleanup_json_ json_t *host = NULL;

	snprintf(path, sizeof(path), "%s/" HOST_CONFIG, c->id);
	if (json_read_file(ds->containers, path, RECORD_MAX, &host, NULL) == -ENOMEM)
		return -ENOMEM;
	return docker_process(rec->json, host, &c->process);
}

static int fill(const struct docker_scan *ds, const struct docker_record *rec,
		struct insp_container *c)
{
	int r = docker_record_fill(rec, ds->scan->want, c);

	if (r == 0 && (ds->scan->want & INSP_WANT_CONFIG))
		r = fill_process(ds, rec, c);

	if (r < 0)
		return r;
	c->owner = ds->root->owner;
	r = container_set(&c->store, ds->root->path);
	if (r < 0)
		return r;
	r = check_life(ds, rec, c);
	if (r < 0)
		return r;
	r = docker_image_name(ds->root, rec, &c->image);
	if (r == 0 && (ds->scan->want & INSP_WANT_DETAIL))
		r = fill_rootfs(ds, rec, c);
	if (r == 0 && (ds->scan->want & INSP_WANT_FILES))
		r = fill_files(ds, rec, c);
	return r;
}

/* 1 when it is the one that is looked for: its name is unique in a store. */
static int add(const struct docker_scan *ds, const char *id, const struct docker_record *rec)
{
	_cleanup_container_ struct insp_container *c = NULL;
	bool exact = rec->name && str_eq(rec->name, ds->scan->match.ref);
	int r;

	if (rec->name && !engine_scan_wants(ds->scan, id, rec->name))
		return 0;
	c = container_new(engine_docker.name, id);
	if (!c)
		return -ENOMEM;
	r = fill(ds, rec, c);
	if (r >= 0)
		r = engine_scan_add(ds->scan, TAKE_PTR(c));
	return r < 0 ? r : exact;
}

static int parse(const char *id, const struct io_buf *b, unsigned want, struct docker_record *rec,
		 struct insp_err *err)
{
	int r = docker_record_parse(b->data, b->len, want, rec, err);

	if (r >= 0 && rec->id && strcmp(rec->id, id) != 0) {
		docker_record_free(rec);
		r = insp_err_say(err, -EBADMSG, "it is another container's");
	}
	return r < 0 ? insp_err_wrap(err, r, "read '%s'", RECORD) : 0;
}

/*
 * Whether the directory without a record is one of a container that is being made or removed: gone since it was listed, or
 * changed just now. One that stays so was left behind by a daemon that died at it, which is worth a word.
 */
static bool is_in_between(const struct docker_scan *ds, const char *id)
{
	struct stat st;
	int64_t age;

	if (fstatat(ds->containers, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return true;
	age = insp_sys_now(ds->scan->sys) / 1000000000 - st.st_mtim.tv_sec;
	return ds->scan->sys->live && age <= IN_BETWEEN_S;
}

static int scan_record(const struct docker_scan *ds, const char *id)
{
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct insp_err err = { 0 };
	int r = read_record(ds, id, &b, &err);

	if (r == -ENOENT && is_in_between(ds, id))
		return 0;
	if (r < 0)
		return fail(ds, id, r, &err);
	(void)engine_scan_spend(ds->scan, ds->root->owner, ds->root->path, b.len);
	if (!may_match(ds->scan, id, &b) || plainly_stopped(ds->scan, &b))
		return 0;
	r = parse(id, &b, ds->scan->want, &rec, &err);
	return r < 0 ? fail(ds, id, r, &err) : add(ds, id, &rec);
}

static int scan_all(const struct docker_scan *ds)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = io_dir_of(ds->containers, &dir);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_entry (de, dir) {
		if (!str_is_hex(de->d_name, DOCKER_ID_LEN) || de->d_type == DT_LNK)
			continue;
		if (engine_scan_spend(ds->scan, ds->root->owner, ds->root->path, 0) == 0)
			break;
		r = scan_record(ds, de->d_name);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

static int scan_root(struct engine_scan *scan, struct docker_root *root)
{
	_cleanup_close_ int fd = io_open_dir(root->fd, "containers");
	struct docker_scan ds = { .scan = scan, .root = root, .containers = fd };
	struct insp_err err = { 0 };

	/* a root without containers: the daemon has not got that far, or they are all remapped */
	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		insp_err_set(&err, fd, "docker: open '%s/containers'", root->path);
		if (fd == -EACCES)
			insp_err_hint(&err,
				      "docker's data root is readable by root only: run as root");
		engine_scan_fail(scan, &err);
		return 0;
	}
	if (scan->match.ref && scan->match.by_id_only)
		return str_is_hex(scan->match.ref, DOCKER_ID_LEN)
			       ? scan_record(&ds, scan->match.ref)
			       : 0;
	return scan_all(&ds);
}

static bool is_ours(const struct insp_container *c)
{
	return strcmp(c->engine, engine_docker.name) == 0;
}

/* Whether the name, or the whole id, that is looked for has been found. */
static bool found_exactly(const struct engine_scan *scan)
{
	for (size_t i = 0; i < scan->found.n; i++) {
		const struct insp_container *c = scan->found.items[i];

		if (is_ours(c) &&
		    (str_eq(c->name, scan->match.ref) || str_eq(c->id, scan->match.ref)))
			return true;
	}
	return false;
}

/*
 * Whether every shim has its container: each running one is held by a process containerd-shim-runc-v2 of its own, which
 * outlives the daemon. Other users of containerd have such processes too; then this is too careful, which does no harm.
 */
static int all_accounted_for(struct engine_scan *scan)
{
	const struct scan_procs *procs;
	size_t shims = 0, live = 0;
	int r = engine_scan_procs(scan, &procs);

	if (r < 0)
		return r;
	for (size_t i = 0; i < procs->n; i++)
		shims += str_starts(procs->items[i].exe, "containerd-shim");
	for (size_t i = 0; i < scan->found.n; i++)
		live += is_ours(scan->found.items[i]) && scan->found.items[i]->pid > 0;
	return shims <= live;
}

/* Another root may have the same name, so one that was found ends the search only where no other is looked for. */
static int is_complete(struct engine_scan *scan)
{
	if (!scan->match.ref)
		return all_accounted_for(scan);
	return !scan->may_walk && found_exactly(scan);
}

static int scan_roots(struct engine_scan *scan, struct docker_roots *roots, size_t from)
{
	int r = 0;

	for (size_t i = from; r >= 0 && i < roots->n; i++) {
		r = scan_root(scan, &roots->items[i]);
		docker_layers_note_damage(&roots->items[i]);
	}
	return r;
}

static int scan(struct engine_scan *scan)
{
	_cleanup_(docker_roots_free) struct docker_roots roots = { 0 };
	size_t told;
	int r = docker_roots_find(scan, &roots);

	if (r < 0)
		return r;
	r = scan_roots(scan, &roots, 0);
	if (r < 0 || !scan->sys->live)
		return r;
	r = is_complete(scan);
	if (r != 0)
		return r < 0 ? r : 0;
	/* there may be a daemon that was killed and had a root of its own */
	told = roots.n;
	r = docker_roots_add_mounted(scan, &roots);
	return r < 0 ? r : scan_roots(scan, &roots, told);
}

/* With the cgroupfs driver and with systemd's. */
static const char *const cgroup_marks[] = { "/docker/", "/docker-", NULL };

/* moby daemon/daemon.go: NewDaemon(); [0-9]*.[0-9]* is a remapped root's, which has all of it below */
static const char *const store_marks[] = { "containers", "image", "[0-9]*.[0-9]*", NULL };

const struct engine engine_docker = {
	.name = "docker",
	.scan = scan,
	.images = docker_images,
	.cgroup_marks = cgroup_marks,
	.store_marks = store_marks,
};
