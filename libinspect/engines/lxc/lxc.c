/*
 * lxc: NAME/config below each lxcpath, which says nothing of life (docs/formats/lxc.md). lxcpaths: root's, those that the
 * caller names, every user's, and those of running monitors.
 *
 * A user's lxcpath is the user's to arrange: no link is followed there, no include read, no path believed that leads
 * out of it.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/process.h"
#include "libinspect/engines/homes.h"
#include "libinspect/engines/lxc/config.h"
#include "libinspect/engines/lxc/monitor.h"
#include "libinspect/kernel/passwd.h"

#include <sys/stat.h>

#define NAME	     "lxc"
#define CONFIG	     "config"
#define DEFAULT_PATH "/var/lib/lxc"
#define SYSTEM_CONF  "/etc/lxc/lxc.conf"
#define USER_CONF    ".config/lxc/lxc.conf"
#define USER_PATH    ".local/share/lxc"
#define FIRST_PERSON 1000 /* login.defs(5): accounts of the system run no containers of their own */

struct store {
	struct lxc_live *live;
	const char *path;
	int fd;
	uid_t owner;
	struct lxc_config config; /* of the container at hand */
};

/* An lxcpath that was looked at: two names may lead to one. */
struct seen {
	dev_t dev;
	ino_t ino;
};
struct places {
	struct engine_scan *scan;
	struct lxc_live live;
	struct seen *seen;
	size_t n_seen;
};

/* Where the paths of a store's records may lead. */
static const char *bounds(const struct store *s)
{
	return s->owner == 0 ? NULL : s->path;
}

static struct insp_container *new_container(const struct store *s, const char *name)
{
	_cleanup_container_ struct insp_container *c = container_new(NAME, name);

	if (!c || container_set(&c->store, s->path) < 0)
		return NULL;
	c->owner = s->owner;
	/* lxc's word is STOPPED; whether it ever ran, and how it ended, no file tells */
	c->state = INSP_STATE_EXITED;
	return TAKE_PTR(c);
}

static int fill_detail(const struct store *s, struct insp_container *c)
{
	const struct lxc_config *config = &s->config;
	int r = container_set(&c->hostname, config->hostname);

	if (r == 0)
		r = container_set(&c->command, config->command);
	if (r == 0 && config->console_log && lxc_path_is_within(config->console_log, bounds(s)))
		r = container_set(&c->log_path, config->console_log);
	return r;
}

static int fill(const struct store *s, struct insp_container *c)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;
	unsigned want = s->live->scan->want;
	int r = 0;

	if (s->config.rootfs)
		r = lxc_config_layers(s->config.rootfs, bounds(s), &layers);
	if (r == 0 && layers && layers->kind == INSP_ROOT_DIR)
		r = container_set(&c->rootfs, layers->upper);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = fill_detail(s, c);
	if (r == 0 && (want & INSP_WANT_CONFIG))
		r = oci_process_of_command(s->config.command, "/sbin/init", &c->process);
	if (r == 0 && (want & INSP_WANT_FILES)) {
		r = lxc_config_add_mounts(&s->config.mounts, c->rootfs, c);
		if (r == 0)
			r = lxc_config_add_ids(&s->config.idmaps, c);
		c->layers = TAKE_PTR(layers);
	}
	/* a volume of its own: while it runs the kernel tells */
	if (r == 0 && (want & INSP_WANT_FILES))
		r = engine_layers_from_mounts(s->live->scan, c, NULL);
	return r;
}

static int read_config(struct store *s, int fd, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = io_read_file(fd, CONFIG, LXC_CONFIG_MAX, &b, err);

	if (r < 0)
		return r;
	(void)engine_scan_spend(s->live->scan, s->owner, s->path, b.len);
	r = lxc_config_parse(b.data, b.len, &s->config);
	return r < 0 || s->owner != 0 ? r : lxc_config_include(s->live->scan->sys, &s->config);
}

/* A user's cgroups are below the session that lxc was started in. */
static int claim(struct store *s, const char *name, struct insp_container *c)
{
	int r = 0;

	if (s->live->scan->sys->live && (s->owner != 0 || s->config.own_cgroup))
		r = lxc_live_must_walk(s->live);
	return r < 0 ? r : lxc_live_claim(s->live, s->fd, s->path, name, c);
}

static int record_fail(struct store *s, const char *name, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, NAME " container %s", name);
	engine_scan_fail(s->live->scan, err);
	return 0;
}

static int add_container(struct store *s, int fd, const char *name)
{
	_cleanup_container_ struct insp_container *c = NULL;
	struct insp_err err = { 0 };
	int r = read_config(s, fd, &err);

	/* an lxcpath may hold other things: a cache, a lock */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return record_fail(s, name, r, &err);
	c = new_container(s, name);
	if (!c)
		return -ENOMEM;
	r = claim(s, name, c);
	if (r == 0)
		r = fill(s, c);
	return r < 0 ? r : engine_scan_add(s->live->scan, TAKE_PTR(c));
}

static int add_containers(struct store *s)
{
	struct engine_scan *scan = s->live->scan;
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct insp_err err = { 0 };
	int r = io_dir_of(s->fd, &dir);

	if (r < 0) {
		insp_err_set(&err, r, NAME " store: list '%s'", s->path);
		engine_scan_fail(scan, &err);
		return r == -ENOMEM ? r : 0;
	}
	for_each_entry (de, dir) {
		_cleanup_close_ int fd = -EBADF;

		if (!engine_scan_wants(scan, de->d_name, de->d_name))
			continue;
		if (engine_scan_spend(scan, s->owner, s->path, 0) == 0)
			break;
		fd = io_open_dir(s->fd, de->d_name);
		if (fd < 0)
			continue;
		r = add_container(s, fd, de->d_name);
		lxc_config_free(&s->config);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Containers that were started without a directory of their own (lxc-execute -f), or whose directory was removed. */
static int add_unrecorded(struct store *s)
{
	struct engine_scan *scan = s->live->scan;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->live->n; i++) {
		_cleanup_container_ struct insp_container *c = NULL;
		const struct lxc_monitor *m = &s->live->items[i];

		if (m->claimed || m->proc.owner != s->owner ||
		    !engine_scan_wants(scan, m->name, m->name) ||
		    !lxc_monitor_is_of(scan->sys, m, s->fd, s->path))
			continue;
		c = new_container(s, m->name);
		if (!c)
			return -ENOMEM;
		r = lxc_live_claim(s->live, s->fd, s->path, m->name, c);
		if (r == 0 && c->pid > 0)
			r = engine_scan_add(scan, TAKE_PTR(c));
	}
	return r;
}

/* ---- lxcpaths ---- */

/* 1 the first time, 0 when it was seen. */
static int see(struct places *p, const struct stat *st)
{
	struct seen *more;

	for (size_t i = 0; i < p->n_seen; i++)
		if (p->seen[i].dev == st->st_dev && p->seen[i].ino == st->st_ino)
			return 0;
	more = reallocarray(p->seen, p->n_seen + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->seen = more;
	p->seen[p->n_seen++] = (struct seen){ st->st_dev, st->st_ino };
	return 1;
}

/* fd: an lxcpath. only: the uid that must own it, or (uid_t)-1 for whoever does. */
static int scan_path(struct places *p, int fd, const char *path, uid_t only)
{
	struct store s = { .live = &p->live, .path = path, .fd = fd };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return 0;
	if (only != (uid_t)-1 && st.st_uid != only)
		return 0;
	s.owner = st.st_uid;
	r = see(p, &st);
	if (r <= 0)
		return r;
	r = add_containers(&s);
	return r < 0 ? r : add_unrecorded(&s);
}

static int named_path(struct places *p, const char *path, bool must_be)
{
	_cleanup_close_ int fd = sys_open_dir(p->scan->sys, path);
	struct insp_err err = { 0 };

	if (fd >= 0)
		return scan_path(p, fd, path, (uid_t)-1);
	if (fd == -ENOMEM || (fd == -ENOENT && !must_be))
		return fd == -ENOMEM ? fd : 0;
	insp_err_set(&err, fd, NAME " store: open '%s'", path);
	if (fd == -EACCES)
		insp_err_hint(&err, "its containers are root's: run this as root");
	engine_scan_fail(p->scan, &err);
	return 0;
}

/* lxc.lxcpath of an lxc.conf, NULL: it does not say. Lines are those of a container's config. */
static char *find_lxcpath(const char *buf, size_t len)
{
	char *found = NULL;

	for (const char *line = buf; line && line < buf + len;) {
		const char *end = memchr(line, '\n', (size_t)(buf + len - line));
		const char *p = line + strspn(line, " \t");

		if (str_starts(p, "lxc.lxcpath")) {
			p += strlen("lxc.lxcpath");
			p += strspn(p, " \t");
			if (*p == '=') {
				p += 1 + strspn(p + 1, " \t");
				free(found);
				found = strndup(p, strcspn(p, " \t\r\n"));
			}
		}
		line = end ? end + 1 : NULL;
	}
	return found;
}

/* uid: whose file it is */
static char *lxcpath_of_conf(struct engine_scan *scan, uid_t uid, const char *path)
{
	_cleanup_close_ int fd = homes_open_file(scan, uid, path);
	_cleanup_io_buf_ struct io_buf b = { 0 };

	if (fd < 0 || io_read_fd(fd, LXC_CONFIG_MAX, &b) < 0)
		return NULL;
	return find_lxcpath(b.data, b.len);
}

static int system_path(struct places *p)
{
	_cleanup_free_ char *path = lxcpath_of_conf(p->scan, 0, SYSTEM_CONF);

	return named_path(p, path && path[0] == '/' ? path : DEFAULT_PATH, false);
}

/* What may not be opened is not the caller's; what the user does not own is nobody's word. */
static int user_path(struct places *p, const struct passwd_entry *e)
{
	_cleanup_free_ char *conf = str_format("%s/" USER_CONF, e->home);
	_cleanup_free_ char *path = conf ? lxcpath_of_conf(p->scan, e->uid, conf) : NULL;
	_cleanup_close_ int fd = -EBADF;

	if (!path || path[0] != '/') {
		free(path);
		path = str_format("%s/" USER_PATH, e->home);
	}
	if (!conf || !path)
		return -ENOMEM;
	fd = homes_open_dir(p->scan, e->uid, path);
	return fd < 0 ? 0 : scan_path(p, fd, path, e->uid);
}

static int user_paths(struct places *p)
{
	const struct passwd_table *table;
	int r = 0;

	if (engine_scan_users(p->scan, &table) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < table->n; i++)
		if (table->items[i].uid >= FIRST_PERSON && str_starts(table->items[i].home, "/"))
			r = user_path(p, &table->items[i]);
	return r;
}

/* Root's monitors only: a user could send the scan anywhere. */
static int monitored_paths(struct places *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->live.n; i++) {
		const struct lxc_monitor *m = &p->live.items[i];
		_cleanup_free_ char *path = NULL;

		if (m->claimed || m->proc.owner != 0 || !m->proc.prefix)
			continue;
		path = str_format("%s%s", m->proc.prefix, m->path);
		r = path ? named_path(p, path, false) : -ENOMEM;
	}
	return r;
}

static int all_paths(struct places *p)
{
	const struct insp_sys *sys = p->scan->sys;
	int r = lxc_live_walk(&p->live);

	if (r == 0)
		r = system_path(p);
	for (size_t i = 0; r == 0 && i < sys->n_stores; i++)
		if (str_eq(sys->stores[i].engine, NAME))
			r = named_path(p, sys->stores[i].path, true);
	if (r == 0)
		r = user_paths(p);
	return r < 0 ? r : monitored_paths(p);
}

static int scan_lxc(struct engine_scan *scan)
{
	/* a program of its own may stand on liblxc through its binding for python */
	static const char *const programs[] = { "lxc-", "python3", NULL };
	struct places p = { .scan = scan, .live = { .scan = scan, .programs = programs } };
	int r = all_paths(&p);

	lxc_live_free(&p.live);
	free(p.seen);
	return r;
}

static const char *const cgroup_marks[] = { "/lxc.payload.", "/lxc.payload/", "/lxc/", NULL };

const struct engine engine_lxc = { .name = NAME, .scan = scan_lxc, .cgroup_marks = cgroup_marks };
