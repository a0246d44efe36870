/*
 * Where data roots are. Without walking /proc: the ones that the caller named, the default daemon's (by its pid file,
 * else its configuration, else the default directory), and those of rootless daemons (pid files below /run/user). A
 * list walks /proc for daemons with a pid file of their own as well. The host's mount table shows the roots in use, that
 * of a daemon that was killed too; it costs as much as all the rest and is read only when something is missing.
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/homes.h"

#include <sys/stat.h>

#define PROGRAM	       "dockerd"
#define DEFAULT_ROOT   "/var/lib/docker"
#define DEFAULT_CONFIG "/etc/docker/daemon.json"
#define PID_FILE       "/run/docker.pid"
#define MOBY_NAMESPACE "moby"

static void root_free(struct docker_root *root)
{
	util_close(root->fd);
	free(root->path);
	free(root->exec_root);
	if (root->repositories)
		json_decref(root->repositories);
	containerd_meta_close(root->managed);
	free(root->images);
}

void docker_roots_free(struct docker_roots *roots)
{
	for (size_t i = 0; i < roots->n; i++)
		root_free(&roots->items[i]);
	free(roots->items);
	*roots = (struct docker_roots){ 0 };
}

static struct docker_root *find_root(const struct docker_roots *roots, const struct stat *st)
{
	for (size_t i = 0; i < roots->n; i++)
		if (roots->items[i].dev == st->st_dev && roots->items[i].ino == st->st_ino)
			return &roots->items[i];
	return NULL;
}

struct place {
	const char *path, *exec_root; /* exec_root: NULL when not known */
	bool named;		      /* by the caller, who is told when it is not there */
	const char *config;	      /* the file that names it: likewise. NULL: none does */
	uid_t by;		      /* whose word it is */
};

static void cannot_open(struct engine_scan *scan, const struct place *place, int r)
{
	struct insp_err err = { 0 };

	if (place->config) {
		insp_err_set(&err, r, "docker: open '%s', which '%s' names", place->path,
			     place->config);
		insp_err_hint(&err, "the default data root is looked at");
	} else {
		insp_err_set(&err, r, "docker: open '%s'", place->path);
	}
	if (r == -EACCES || r == -EPERM)
		insp_err_hint(&err, "docker's data root is readable by root only: run as root");
	engine_scan_fail(scan, &err);
}

/* userns-remap keeps everything in ROOT/UID.GID/ */
static bool is_remap_name(const char *s)
{
	size_t uid = strspn(s, "0123456789"), gid;

	if (uid == 0 || s[uid] != '.')
		return false;
	gid = strspn(s + uid + 1, "0123456789");
	return gid > 0 && s[uid + 1 + gid] == '\0';
}

static void set_namespaces(struct docker_root *root)
{
	const char *slash = strrchr(root->path, '/'), *name = slash ? slash + 1 : root->path;
	const size_t size = sizeof(root->namespaces[0]);
	int n = 0;

	if (is_remap_name(name) && strlen(name) + sizeof(MOBY_NAMESPACE "-") <= size)
		snprintf(root->namespaces[n++], size, MOBY_NAMESPACE "-%s", name);
	snprintf(root->namespaces[n], size, MOBY_NAMESPACE);
}

/* Takes fd. exec_root may be NULL. */
static int append(struct docker_roots *roots, int fd, const char *path, const char *exec_root,
		  const struct stat *st)
{
	struct docker_root root = { .fd = fd,
				    .path = str_dup(path),
				    .exec_root = str_dup(exec_root),
				    .owner = st->st_uid,
				    .dev = st->st_dev,
				    .ino = st->st_ino };
	struct docker_root *items = reallocarray(roots->items, roots->n + 1, sizeof(*items));

	if (items)
		roots->items = items;
	if (!items || !root.path) {
		root_free(&root);
		return -ENOMEM;
	}
	set_namespaces(&root);
	roots->items[roots->n++] = root;
	return 0;
}

static int add_remapped(struct docker_roots *roots, size_t of)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = io_opendir(roots->items[of].fd, ".", &dir);

	/* what may not be read is told when its containers/ is opened */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_entry (de, dir) {
		const struct docker_root *parent = &roots->items[of];
		_cleanup_free_ char *path = NULL;
		struct stat st;
		int fd;

		if (!is_remap_name(de->d_name))
			continue;
		fd = openat(parent->fd, de->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 || find_root(roots, &st)) {
			util_close(fd);
			continue;
		}
		/* it belongs to the remapped root where it must, but root's daemon writes it */
		st.st_uid = parent->owner;
		path = str_format("%s/%s", parent->path, de->d_name);
		r = append(roots, fd, path, parent->exec_root, &st);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: it is there; 0: it is not, or may not be used. */
static int add_root(struct engine_scan *scan, struct docker_roots *roots, const struct place *place)
{
	_cleanup_close_ int fd = homes_open(scan, place->by, place->path, O_PATH | O_DIRECTORY);
	struct docker_root *known;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = fd < 0 ? fd : -errno;
		/* what does not answer was noted */
		if (place->named || place->config ||
		    (r != -ENOENT && r != -ENOTDIR && r != -ETIMEDOUT))
			cannot_open(scan, place, r);
		return 0;
	}
	/* a user's daemon may name root's directory, to have its own records of what runs believed there */
	if (place->by != 0 && place->by != st.st_uid)
		return 0;
	known = find_root(roots, &st);
	if (known) {
		if (!known->exec_root)
			known->exec_root = str_dup(place->exec_root);
		return known->exec_root || !place->exec_root ? 1 : -ENOMEM;
	}
	r = append(roots, TAKE_FD(fd), place->path, place->exec_root, &st);
	if (r == 0)
		r = add_remapped(roots, roots->n - 1);
	return r < 0 ? r : 1;
}

/* 1: the process is a daemon, and its root was added. */
static int add_daemon(struct engine_scan *scan, struct docker_roots *roots, pid_t pid)
{
	_cleanup_(docker_daemon_free) struct docker_daemon d = { 0 };
	int r = docker_daemon_read(scan, pid, &d);

	if (r <= 0)
		return r;
	r = add_root(
		scan, roots,
		&(struct place){ .path = d.data_root, .exec_root = d.exec_root, .by = d.owner });
	return r < 0 ? r : 1;
}

/* The process that a pid file names, if it is a daemon. */
static int add_pid_file(struct engine_scan *scan, struct docker_roots *roots, const char *path)
{
	_cleanup_close_ int fd = sys_open_file(scan->sys, path);
	char buf[32];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	pid_t pid;

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	buf[strcspn(buf, "\r\n ")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : add_daemon(scan, roots, pid);
}

static int add_default(struct engine_scan *scan, struct docker_roots *roots)
{
	_cleanup_(docker_flags_free) struct docker_flags f = { 0 };
	struct place place = { 0 };
	int r = add_pid_file(scan, roots, PID_FILE);

	/* a daemon that was told another root has left the default directory: old names would be ambiguous */
	if (r != 0)
		return r;
	r = docker_flags_add_config(scan, 0, DEFAULT_CONFIG, &f);
	if (r < 0)
		return r;
	place.exec_root = f.exec_root && f.exec_root[0] == '/' ? f.exec_root : NULL;
	if (f.data_root && f.data_root[0] == '/' && !str_eq(f.data_root, DEFAULT_ROOT)) {
		place.path = f.data_root;
		place.config = DEFAULT_CONFIG;
		r = add_root(scan, roots, &place);
		if (r != 0)
			return r;
	}
	place.path = DEFAULT_ROOT;
	place.config = NULL;
	return add_root(scan, roots, &place);
}

static int add_users(struct engine_scan *scan, struct docker_roots *roots)
{
	const uid_t *uids;
	size_t n = 0;
	int fd, r = 0;

	if (scan->sys->live)
		r = engine_scan_run_users(scan, &fd, &uids, &n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		char path[sizeof("/run/user/4294967295/docker.pid")];

		snprintf(path, sizeof(path), "/run/user/%u/docker.pid", (unsigned)uids[i]);
		r = add_pid_file(scan, roots, path);
	}
	return r < 0 ? r : 0;
}

static bool is_hex_id(const char *s)
{
	return strspn(s, "0123456789abcdef") >= DOCKER_ID_LEN;
}

/*
 * The data root that a mount point of a running container lies in; its length in path, 0: none.
 *  ROOT/overlay2/HEX/merged      the container's root, overlay2
 *  ROOT/rootfs/overlayfs/ID      the same with containerd's image store
 *  ROOT/containers/ID/mounts/shm its /dev/shm, whatever the graph driver
 */
static size_t root_in(const char *path)
{
	static const struct {
		const char *before, *after;
	} shapes[] = {
		{ "/overlay2/", "/merged" },
		{ "/rootfs/overlayfs/", "" },
		{ "/containers/", "/mounts/shm" },
	};
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t before = strlen(shapes[i].before), after = strlen(shapes[i].after);
		size_t tail = before + DOCKER_ID_LEN + after;
		const char *p = path + (len > tail ? len - tail : 0);

		if (len > tail && memcmp(p, shapes[i].before, before) == 0 &&
		    is_hex_id(p + before) && str_ends(path, shapes[i].after))
			return len - tail;
	}
	return 0;
}

static bool is_known_path(const struct docker_roots *roots, const char *path, size_t len)
{
	for (size_t i = 0; i < roots->n; i++)
		if (strlen(roots->items[i].path) == len &&
		    memcmp(roots->items[i].path, path, len) == 0)
			return true;
	return false;
}

int docker_roots_add_mounted(struct engine_scan *scan, struct docker_roots *roots)
{
	const struct mount_table *table;
	int r = engine_scan_mounts(scan, &table);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < table->n; i++) {
		const struct mount_entry *m = &table->items[i];
		_cleanup_free_ char *path = NULL;
		size_t len;

		/* nothing else is looked at: a path on a user's FUSE file system could stall */
		if (!str_eq(m->fstype, "overlay") && !str_eq(m->fstype, "tmpfs"))
			continue;
		len = root_in(m->target);
		if (len == 0 || is_known_path(roots, m->target, len))
			continue;
		path = strndup(m->target, len);
		r = path ? add_root(scan, roots, &(struct place){ .path = path }) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_named(struct engine_scan *scan, struct docker_roots *roots)
{
	for (size_t i = 0; i < scan->sys->n_stores; i++) {
		const struct insp_store *s = &scan->sys->stores[i];
		int r = 0;

		if (str_eq(s->engine, engine_docker.name))
			r = add_root(scan, roots,
				     &(struct place){ .path = s->path, .named = true });
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_walked(struct engine_scan *scan, struct docker_roots *roots)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(scan, &procs);

	for (size_t i = 0; r >= 0 && i < procs->n; i++)
		if (strcmp(procs->items[i].exe, PROGRAM) == 0)
			r = add_daemon(scan, roots, procs->items[i].pid);
	return r < 0 ? r : 0;
}

int docker_roots_find(struct engine_scan *scan, struct docker_roots *ret)
{
	static int (*const sources[])(struct engine_scan *, struct docker_roots *) = {
		add_named,
		add_default,
		add_users,
		add_walked,
	};
	_cleanup_(docker_roots_free) struct docker_roots roots = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		int r = sources[i](scan, &roots);

		if (r < 0)
			return r;
	}
	*ret = roots;
	roots = (struct docker_roots){ 0 };
	return 0;
}
