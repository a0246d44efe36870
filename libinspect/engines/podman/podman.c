/*
 * podman's containers: root's store, every user's, and those the caller names. docs/formats/podman.md.
 *
 * A user's store is the user's to arrange and hostile to whoever reads it as root: a store counts as a user's only
 * when the graph root is that user's directory, files in it are opened without following links, sizes are
 * capped, and its records are believed about that user's processes only (engine_claim_init()).
 */
#include "libinspect/engines/podman/podman.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/passwd.h"

#include <sys/stat.h>

#define SYSTEM_CONF    "/etc/containers/storage.conf"
#define VENDOR_CONF    "/usr/share/containers/storage.conf"
#define ROOT_GRAPH     "/var/lib/containers/storage"
#define ROOT_RUN       "/run/containers/storage"
#define ROOT_TMP       "/run/libpod"
#define USER_CONF      ".config/containers/storage.conf"
#define USER_GRAPH     ".local/share/containers/storage"
#define USER_STORE_MAX 1024 /* users with stores that are looked at */
#define FIRST_PERSON   1000 /* login.defs(5): UID_MIN of every distribution */
#define SUBUID_FILE    "/etc/subuid"
#define SUBUID_MAX     (1024 * 1024)

/* A graph root that was looked at: two names may lead to one. */
struct seen {
	dev_t dev;
	ino_t ino;
};
struct places {
	struct engine_scan *scan;
	struct podman_conf conf; /* the system's */
	struct seen *seen;
	size_t n_seen;
};

size_t podman_json_max(const struct podman_store *s)
{
	return s->owner == 0 ? IO_STATE_MAX : PODMAN_USER_JSON_MAX;
}

int podman_open_dir(const struct podman_store *s, const char *path)
{
	_cleanup_close_ int fd = sys_open_dir(s->scan->sys, path);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == s->owner ? TAKE_FD(fd) : -EPERM;
}

int podman_record_fail(const struct podman_store *s, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, PODMAN_NAME " container %.12s", id);
	engine_scan_fail(s->scan, err);
	return 0;
}

struct insp_container *podman_new(const struct podman_store *s, const char *id, const char *name)
{
	_cleanup_container_ struct insp_container *c = container_new(PODMAN_NAME, id);

	if (!c || container_set(&c->name, name && *name ? name : id) < 0 ||
	    container_set(&c->store, s->path) < 0)
		return NULL;
	c->owner = s->owner;
	return TAKE_PTR(c);
}

/* Whether this is the first time; remembers it. */
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

static int scan_store(struct podman_store *s)
{
	int r = podman_db_scan(s);

	if (r == 0)
		r = podman_json_scan(s);
	return r < 0 ? r : 0;
}

static void store_done(struct podman_store *s)
{
	util_close(s->fd);
	free(s->run_root);
	free(s->run_dir);
	free(s->tmp_dir);
	freezer_done(&s->freezer);
}

static int copy(char **field, const char *value)
{
	if (!value)
		return 0;
	*field = str_dup(value);
	return *field ? 0 : -ENOMEM;
}

/* Where root's things are at run time; of a user's the directory is the user's own. */
static int set_run_paths(struct podman_store *s, const char *run_root)
{
	if (s->owner == 0) {
		int r = copy(&s->run_root, run_root ? run_root : ROOT_RUN);

		if (r == 0)
			r = copy(&s->run_dir, "/run");
		return r < 0 ? r : copy(&s->tmp_dir, ROOT_TMP);
	}
	s->run_dir = str_format("/run/user/%u", (unsigned)s->owner);
	s->tmp_dir = str_format("/run/user/%u/libpod/tmp", (unsigned)s->owner);
	s->run_root = run_root ? str_dup(run_root)
			       : str_format("/run/user/%u/containers", (unsigned)s->owner);
	return s->run_dir && s->tmp_dir && s->run_root ? 0 : -ENOMEM;
}

/* only: the uid that must own it, or (uid_t)-1 for whoever does. Errors of a store that is not there: negative. */
static int open_store(struct places *p, const char *path, const char *run_root, uid_t only)
{
	_cleanup_(store_done) struct podman_store s = { .scan = p->scan, .path = path };
	struct stat st;
	int r;

	s.fd = sys_open_dir(p->scan->sys, path);
	if (s.fd < 0)
		return s.fd;
	if (fstat(s.fd, &st) < 0)
		return -errno;
	if (only != (uid_t)-1 && st.st_uid != only)
		return -EPERM;
	s.owner = st.st_uid;
	r = see(p, &st);
	if (r <= 0)
		return r;
	r = set_run_paths(&s, run_root);
	return r < 0 ? r : scan_store(&s);
}

/* A store that is root's by its place, or that the caller names. */
static int named_store(struct places *p, const char *path, const char *run_root, bool must_be)
{
	struct insp_err err = { 0 };
	int r = open_store(p, path, run_root, (uid_t)-1);

	if (r == 0 || r == -ENOMEM || (r == -ENOENT && !must_be))
		return r == -ENOMEM ? r : 0;
	insp_err_set(&err, r, PODMAN_NAME " store: open '%s'", path);
	if (r == -EACCES)
		insp_err_hint(&err, "its containers are root's: run this as root");
	engine_scan_fail(p->scan, &err);
	return 0;
}

static char *user_graph(const struct places *p, const struct podman_conf *own,
			const struct podman_user *user)
{
	_cleanup_podman_conf_ struct podman_conf theirs = { 0 };

	if (own->graph_root)
		return str_dup(own->graph_root);
	/* the system's file again, with this user's values in its variables */
	if (p->conf.rootless_path) {
		if (podman_conf_read(p->scan->sys, SYSTEM_CONF, user, &theirs) < 0)
			return NULL;
		if (theirs.rootless_path)
			return TAKE_PTR(theirs.rootless_path);
	}
	return str_format("%s/" USER_GRAPH, user->home);
}

static int user_store(struct places *p, const struct podman_user *user)
{
	_cleanup_podman_conf_ struct podman_conf own = { 0 };
	_cleanup_free_ char *graph = NULL;
	_cleanup_free_ char *conf = str_format("%s/" USER_CONF, user->home);
	int r;

	if (!conf)
		return -ENOMEM;
	r = podman_conf_read(p->scan->sys, conf, user, &own);
	if (r < 0)
		return r;
	graph = user_graph(p, &own, user);
	if (!graph)
		return -ENOMEM;
	/* most users have none; and what may not be opened is not the caller's */
	r = open_store(p, graph, own.run_root, user->uid);
	return r == -ENOMEM ? r : 0;
}

/* subuid(5): "NAME:FIRST:COUNT" or "UID:FIRST:COUNT" */
static bool has_subuids(const struct io_buf *subuid, const struct passwd_entry *e)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", (unsigned)e->uid);
	for (const char *line = subuid->data; line && *line;) {
		size_t n = strcspn(line, ":\n");

		if (line[n] == ':' && ((strlen(e->name) == n && memcmp(line, e->name, n) == 0) ||
				       (strlen(uid) == n && memcmp(line, uid, n) == 0)))
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

/*
 * The accounts of a distribution (bin, games, www-data) are asked for a store only when they were given ids for user
 * namespaces, without which a rootless engine runs nothing: each would cost every call two looks.
 */
static bool may_have_store(const struct io_buf *subuid, const struct passwd_entry *e)
{
	if (e->uid == 0 || e->home[0] != '/' || str_eq(e->home, "/"))
		return false;
	return e->uid >= FIRST_PERSON || has_subuids(subuid, e);
}

static int user_stores(struct places *p)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	_cleanup_io_buf_ struct io_buf subuid = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct insp_err err = { 0 };

	if (passwd_read(p->scan->sys->rootfd, &table, &err) < 0)
		return 0;
	fd = sys_open(p->scan->sys, SUBUID_FILE, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && io_read_fd(fd, SUBUID_MAX, &subuid) < 0)
		subuid = (struct io_buf){ 0 };
	for (size_t i = 0; i < table.n && p->n_seen < USER_STORE_MAX; i++) {
		const struct passwd_entry *e = &table.items[i];
		struct podman_user user = { .name = e->name, .home = e->home, .uid = e->uid };
		int r;

		if (!may_have_store(&subuid, e))
			continue;
		r = user_store(p, &user);
		if (r < 0)
			return r;
	}
	return 0;
}

static int all_stores(struct places *p)
{
	const struct insp_sys *sys = p->scan->sys;
	int r = podman_conf_read(sys, SYSTEM_CONF, NULL, &p->conf);

	if (r == 0 && !p->conf.graph_root && !p->conf.run_root && !p->conf.rootless_path)
		r = podman_conf_read(sys, VENDOR_CONF, NULL, &p->conf);
	if (r == 0)
		r = named_store(p, p->conf.graph_root ? p->conf.graph_root : ROOT_GRAPH,
				p->conf.run_root, false);
	for (size_t i = 0; r == 0 && i < sys->n_stores; i++)
		if (str_eq(sys->stores[i].engine, PODMAN_NAME))
			r = named_store(p, sys->stores[i].path, NULL, true);
	return r < 0 ? r : user_stores(p);
}

static int scan_podman(struct engine_scan *scan)
{
	struct places p = { .scan = scan };
	int r = all_stores(&p);

	podman_conf_free(&p.conf);
	free(p.seen);
	return r;
}

/* The second one: with --cgroups=split, below the cgroup of the service that started it. */
static const char *const cgroup_marks[] = { "/libpod-", "/libpod-payload-", NULL };

const struct engine engine_podman = {
	.name = PODMAN_NAME,
	.scan = scan_podman,
	.cgroup_marks = cgroup_marks,
};
