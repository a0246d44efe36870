/*
 * LXD, and its fork (form.h): DIR/containers/NAME, each a link into a storage pool, with backup.yaml beside the root
 * (docs/formats/lxd.md). Both stand on liblxc: what lives is told by its monitors.
 *
 * Virtual machines (DIR/virtual-machines) are not listed: they have no processes on this host but qemu's.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/lxc/form.h"
#include "libinspect/engines/lxc/monitor.h"
#include "libinspect/engines/lxc/record.h"

#include <sys/stat.h>

#define CONTAINERS  "containers"
#define RECORD	    "backup.yaml"
#define POOLS	    "storage-pools/"
#define ENVIRON_MAX (256 * 1024)

struct lxd_dir {
	const struct lxd_form *form;
	struct lxc_live *live;
	const char *path;
	char *lxcpath; /* PATH/containers */
	int fd, containers;
	uid_t owner; /* of containers/: the directory itself may be an account's of the package (Debian: _lxd) */
};

/* ---- one container ---- */

/*
 * The directory of a container, by its link's text alone: "…/storage-pools/POOL/containers/NAME". The path before that is
 * as the daemon sees it, which may not be this host's. NULL: no such link.
 */
static char *pool_of(int containers, const char *name)
{
	_cleanup_free_ char *link = NULL, *tail = str_format("/" CONTAINERS "/%s", name);
	const char *pool, *slash;

	if (!tail || io_readlink(containers, name, &link) < 0 || !str_ends(link, tail))
		return NULL;
	link[strlen(link) - strlen(tail)] = '\0';
	slash = strrchr(link, '/');
	pool = slash ? slash + 1 : link;
	if (!*pool || str_eq(pool, ".") || str_eq(pool, "..") || !slash ||
	    (size_t)(slash + 1 - link) < strlen(POOLS) ||
	    memcmp(slash + 1 - strlen(POOLS), POOLS, strlen(POOLS)) != 0)
		return NULL;
	return str_dup(pool);
}

/* fd or -errno: -ENOENT when the pool is not mounted. */
static int open_container(const struct lxd_dir *d, const char *pool, const char *name)
{
	_cleanup_close_ int pools = io_open_dir(d->fd, "storage-pools");
	_cleanup_close_ int in_pool = pools < 0 ? pools : io_open_dir(pools, pool);
	_cleanup_close_ int dir = in_pool < 0 ? in_pool : io_open_dir(in_pool, CONTAINERS);
	struct stat st;

	if (dir < 0)
		return dir;
	if (fstat(pools, &st) < 0 || st.st_uid != d->owner)
		return -EPERM;
	return io_open_dir(dir, name);
}

/* With features.profiles and the like in a project, its containers are called PROJECT_NAME; neither part has a "_". */
static int set_names(struct insp_container *c, const char *dir_name)
{
	const char *bar = strchr(dir_name, '_');
	_cleanup_free_ char *project =
		bar ? strndup(dir_name, (size_t)(bar - dir_name)) : str_dup("default");
	int r = project ? container_set(&c->project, project) : -ENOMEM;

	return r < 0 || !bar || !bar[1] ? r : container_set(&c->name, bar + 1);
}

static bool is_first_default(const struct lxd_dir *d)
{
	return str_eq(d->path, d->form->dirs[0]);
}

/* What the container wrote to its console. */
static int set_log(const struct lxd_dir *d, const char *name, struct insp_container *c)
{
	_cleanup_free_ char *path = is_first_default(d)
					    ? str_format("%s/%s/console.log", d->form->logs, name)
					    : str_format("%s/logs/%s/console.log", d->path, name);
	_cleanup_close_ int fd = path ? sys_open(d->live->scan->sys, path, O_PATH) : -ENOMEM;

	return fd < 0 ? 0 : container_set(&c->log_path, path);
}

static int set_root(const struct lxd_dir *d, const char *pool, int fd, struct insp_container *c)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;
	struct stat st;

	/* a volume that is not mounted leaves an empty directory, or none */
	if (fstatat(fd, "rootfs", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	c->rootfs = str_format("%s/" POOLS "%s/" CONTAINERS "/%s/rootfs", d->path, pool, c->id);
	if (!c->rootfs)
		return -ENOMEM;
	if (!(d->live->scan->want & INSP_WANT_FILES))
		return 0;
	layers = container_layers_new(INSP_ROOT_DIR);
	if (!layers || container_set(&layers->upper, c->rootfs) < 0)
		return -ENOMEM;
	c->layers = TAKE_PTR(layers);
	return 0;
}

static int record_fail(const struct lxd_dir *d, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, "%s container %s", d->form->name, id);
	engine_scan_fail(d->live->scan, err);
	return 0;
}

static int read_record(const struct lxd_dir *d, int fd, struct insp_container *c)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_json_ json_t *record = NULL;
	struct insp_err err = { 0 };
	int r = io_read_file(fd, RECORD, LXD_RECORD_MAX, &b, &err);

	if (r == -ENOENT)
		return 0;
	if (r == 0) {
		(void)engine_scan_spend(d->live->scan, d->owner, d->path, b.len);
		r = lxd_record_parse(b.data, b.len, &record, &err);
		if (r < 0)
			insp_err_wrap(&err, r, "read '%s'", RECORD);
	}
	if (r < 0)
		return record_fail(d, c->id, r, &err);
	return lxd_record_fill(record, d->live->scan->want, d->path, c);
}

/* A pool that is not mounted (btrfs, zfs, lvm of a stopped daemon) leaves the name and no more. */
static int fill(const struct lxd_dir *d, struct insp_container *c)
{
	_cleanup_free_ char *pool = pool_of(d->containers, c->id);
	_cleanup_close_ int fd = pool ? open_container(d, pool, c->id) : -ENOENT;
	struct insp_err err = { 0 };
	int r = 0;

	if (fd >= 0) {
		r = read_record(d, fd, c);
		if (r == 0)
			r = set_root(d, pool, fd, c);
	} else if (fd != -ENOENT) {
		insp_err_set(&err, fd, "open its directory");
		r = record_fail(d, c->id, fd, &err);
	}
	if (r == 0 && (d->live->scan->want & INSP_WANT_DETAIL))
		r = container_set(&c->hostname, c->name);
	if (r == 0 && (d->live->scan->want & INSP_WANT_DETAIL))
		r = set_log(d, c->id, c);
	return r;
}

static int add_container(const struct lxd_dir *d, const char *name)
{
	_cleanup_container_ struct insp_container *c = container_new(d->form->name, name);
	int r = c ? container_set(&c->store, d->path) : -ENOMEM;

	if (r == 0)
		r = set_names(c, name);
	if (r < 0 || !engine_scan_wants(d->live->scan, c->id, c->name))
		return r;
	c->owner = d->owner;
	/* the engine's word is STOPPED; that of backup.yaml is always that */
	c->state = INSP_STATE_EXITED;
	r = lxc_live_claim(d->live, d->containers, d->lxcpath, name, c);
	if (r == 0 && (c->pid > 0 || (d->live->scan->want & INSP_WANT_STOPPED)))
		r = fill(d, c);
	return r < 0 ? r : engine_scan_add(d->live->scan, TAKE_PTR(c));
}

static int add_containers(const struct lxd_dir *d)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct insp_err err = { 0 };
	int r = io_dir_of(d->containers, &dir);

	if (r < 0) {
		insp_err_set(&err, r, "%s: list '%s'", d->form->name, d->lxcpath);
		if (r == -EACCES)
			insp_err_hint(&err, "its containers are root's: run this as root");
		engine_scan_fail(d->live->scan, &err);
		return r == -ENOMEM ? r : 0;
	}
	for_each_entry (de, dir) {
		if (de->d_name[0] == '.')
			continue;
		if (engine_scan_spend(d->live->scan, d->owner, d->path, 0) == 0)
			break;
		r = add_container(d, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- directories ---- */

struct places {
	const struct lxd_form *form;
	struct lxc_live live;
	struct {
		dev_t dev;
		ino_t ino;
	} seen[64];
	size_t n_seen;
};

static bool see(struct places *p, const struct stat *st)
{
	for (size_t i = 0; i < p->n_seen; i++)
		if (p->seen[i].dev == st->st_dev && p->seen[i].ino == st->st_ino)
			return false;
	if (p->n_seen == ARRAY_SIZE(p->seen))
		return false;
	p->seen[p->n_seen].dev = st->st_dev;
	p->seen[p->n_seen++].ino = st->st_ino;
	return true;
}

static int scan_dir(struct places *p, const char *path, int fd)
{
	_cleanup_close_ int containers = io_open_dir(fd, CONTAINERS);
	_cleanup_free_ char *lxcpath = str_format("%s/" CONTAINERS, path);
	struct lxd_dir d = { p->form, &p->live, path, lxcpath, fd, containers, 0 };
	struct insp_err err = { 0 };
	struct stat st;

	if (!lxcpath)
		return -ENOMEM;
	/* a package makes the directory, the daemon what is in it */
	if (containers == -ENOENT)
		return 0;
	if (containers < 0 || fstat(containers, &st) < 0) {
		insp_err_set(&err, containers, "%s: open '%s'", p->form->name, lxcpath);
		if (containers == -EACCES)
			insp_err_hint(&err, "its containers are root's: run this as root");
		engine_scan_fail(p->live.scan, &err);
		return containers == -ENOMEM ? -ENOMEM : 0;
	}
	d.owner = st.st_uid;
	return see(p, &st) ? add_containers(&d) : 0;
}

static int named_dir(struct places *p, const char *path, bool must_be)
{
	_cleanup_close_ int fd = sys_open_dir(p->live.scan->sys, path);
	struct insp_err err = { 0 };

	if (fd >= 0)
		return scan_dir(p, path, fd);
	if (fd == -ENOMEM || (fd == -ENOENT && !must_be))
		return fd == -ENOMEM ? fd : 0;
	insp_err_set(&err, fd, "%s: open '%s'", p->form->name, path);
	engine_scan_fail(p->live.scan, &err);
	return 0;
}

static int default_dirs(struct places *p)
{
	int r = 0;

	for (const char *const *dir = p->form->dirs; r == 0 && *dir; dir++)
		r = named_dir(p, *dir, false);
	return r;
}

static int named_dirs(struct places *p)
{
	const struct insp_sys *sys = p->live.scan->sys;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sys->n_stores; i++)
		if (str_eq(sys->stores[i].engine, p->form->name))
			r = named_dir(p, sys->stores[i].path, true);
	return r;
}

/* Root's monitors are as good as a daemon, and outlive it. */
static int monitored_dirs(struct places *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->live.n; i++) {
		const struct lxc_monitor *m = &p->live.items[i];
		_cleanup_free_ char *path = NULL;

		if (m->claimed || m->proc.owner != 0 || !m->proc.prefix ||
		    !str_ends(m->path, "/" CONTAINERS))
			continue;
		path = str_format("%s%.*s", m->proc.prefix,
				  (int)(strlen(m->path) - strlen("/" CONTAINERS)), m->path);
		r = path ? named_dir(p, path, false) : -ENOMEM;
	}
	return r;
}

static const char *find_variable(const struct io_buf *env, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = env->data; p < env->data + env->len; p += strlen(p) + 1)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
	return NULL;
}

/* A daemon without a running container. */
static int daemon_dir(struct places *p, pid_t pid)
{
	const struct insp_sys *sys = p->live.scan->sys;
	_cleanup_hostproc_ struct hostproc proc = { 0 };
	_cleanup_io_buf_ struct io_buf env = { 0 };
	_cleanup_free_ char *path = NULL;
	char file[32];
	const char *dir;
	int r = hostproc_read_root(sys, pid, &proc);

	if (r <= 0)
		return r;
	snprintf(file, sizeof(file), "%d/environ", (int)pid);
	r = io_read_proc(sys->procfd, file, ENVIRON_MAX, &env);
	if (r < 0 || !hostproc_same(sys, &proc))
		return r == -ENOMEM ? r : 0;
	dir = find_variable(&env, p->form->variable);
	if (!dir || dir[0] != '/')
		return 0;
	path = str_format("%s%s", proc.prefix, dir);
	return path ? named_dir(p, path, false) : -ENOMEM;
}

static int daemon_dirs(struct places *p)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(p->live.scan, &procs);

	for (size_t i = 0; r == 0 && i < procs->n; i++)
		if (strcmp(procs->items[i].exe, p->form->programs[0]) == 0)
			r = daemon_dir(p, procs->items[i].pid);
	return r;
}

int lxd_scan(struct engine_scan *scan, const struct lxd_form *form)
{
	static int (*const sources[])(struct places *) = { default_dirs, named_dirs, monitored_dirs,
							   daemon_dirs };
	struct places p = { .form = form, .live = { .scan = scan, .programs = form->programs } };
	int r = lxc_live_walk(&p.live);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sources); i++)
		r = sources[i](&p);
	lxc_live_free(&p.live);
	return r;
}

static int scan_lxd(struct engine_scan *scan)
{
	static const char *const dirs[] = { "/var/lib/lxd", "/var/snap/lxd/common/lxd", NULL };
	static const char *const programs[] = { "lxd", NULL };
	static const struct lxd_form form = {
		.name = "lxd",
		.dirs = dirs,
		.programs = programs,
		.variable = "LXD_DIR",
		.logs = "/var/log/lxd",
	};

	return lxd_scan(scan, &form);
}

const struct engine engine_lxd = { .name = "lxd", .scan = scan_lxd };
