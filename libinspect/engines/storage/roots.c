/* Where graph roots are: root's, the ones that the caller names, every user's, and those that something runs in. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/homes.h"
#include "libinspect/engines/storage/storage.h"
#include "libinspect/kernel/passwd.h"

#include <sys/stat.h>

/* containers/storage store.go: storage.lock, and DRIVER-containers, DRIVER-images, DRIVER-layers; podman's own beside it */
const char *const storage_marks[] = { "*-containers", "*-images", "*-layers", "storage.lock",
				      "libpod",	      "db.sql",	  NULL };

#define SYSTEM_CONF    "/etc/containers/storage.conf"
#define VENDOR_CONF    "/usr/share/containers/storage.conf"
#define ROOT_GRAPH     "/var/lib/containers/storage"
#define ROOT_RUN       "/run/containers/storage"
#define USER_CONF      ".config/containers/storage.conf"
#define USER_GRAPH     ".local/share/containers/storage"
#define USER_ROOTS_MAX 1024 /* users with stores that are looked at */
#define FIRST_PERSON   1000 /* login.defs(5): UID_MIN of every distribution */
#define SUBUID_FILE    "/etc/subuid"
#define SUBUID_MAX     (1024 * 1024)

struct places {
	struct engine_scan *scan;
	struct storage_roots *roots;
	struct storage_conf conf; /* the system's */
};

static struct storage_root *root_free(struct storage_root *root)
{
	if (!root)
		return NULL;
	storage_drivers_free(root);
	util_close(root->fd);
	free(root->path);
	free(root->run_root);
	free(root);
	return NULL;
}

static void root_freep(struct storage_root **root)
{
	root_free(*root);
}

static void roots_free(void *data)
{
	struct storage_roots *roots = data;

	for (size_t i = 0; i < roots->n; i++)
		root_free(roots->items[i]);
	free(roots->items);
	free(roots);
}

/* Two names may lead to one directory. */
static bool is_there(const struct storage_roots *roots, const struct stat *st)
{
	for (size_t i = 0; i < roots->n; i++)
		if (roots->items[i]->dev == st->st_dev && roots->items[i]->ino == st->st_ino)
			return true;
	return false;
}

static int append(struct storage_roots *roots, struct storage_root **root)
{
	void *more = reallocarray(roots->items, roots->n + 1, sizeof(*roots->items));

	if (!more)
		return -ENOMEM;
	roots->items = more;
	roots->items[roots->n++] = TAKE_PTR(*root);
	return 1;
}

static char *default_run_root(uid_t owner)
{
	return owner == 0 ? str_dup(ROOT_RUN)
			  : str_format("/run/user/%u/containers", (unsigned)owner);
}

static int open_place(struct engine_scan *scan, const struct storage_place *place)
{
	return place->only == (uid_t)-1 ? sys_open_dir(scan->sys, place->path)
					: homes_open_dir(scan, place->only, place->path);
}

int storage_add_root(struct engine_scan *scan, struct storage_roots *roots,
		     const struct storage_place *place)
{
	_cleanup_(root_freep) struct storage_root *root = NULL;
	_cleanup_close_ int fd = open_place(scan, place);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (place->only != (uid_t)-1 && st.st_uid != place->only)
		return -EPERM;
	if (is_there(roots, &st))
		return 0;
	root = calloc(1, sizeof(*root));
	if (!root)
		return -ENOMEM;
	root->scan = scan;
	root->fd = TAKE_FD(fd);
	root->owner = st.st_uid;
	root->dev = st.st_dev;
	root->ino = st.st_ino;
	root->path = str_dup(place->path);
	root->run_root = place->run_root ? str_dup(place->run_root) : default_run_root(st.st_uid);
	if (!root->path || !root->run_root)
		return -ENOMEM;
	return append(roots, &root);
}

/*
 * The directory that a configuration names is not there: then it names the wrong one, or a disk is not mounted, and what was
 * there before the file was written may be what is looked for. A default that is written out says nothing.
 */
static bool is_gone(struct engine_scan *scan, const struct storage_place *place, const char *usual,
		    int r)
{
	struct insp_err err = { 0 };

	if (!place->conf || (r != -ENOENT && r != -ENOTDIR) || str_eq(place->path, usual))
		return false;
	insp_err_set(&err, r, "container storage: open '%s', which '%s' names", place->path,
		     place->conf);
	insp_err_hint(&err, "the default graph root is looked at");
	engine_scan_fail(scan, &err);
	return true;
}

/* A graph root that is root's by its place (engine NULL), or that the caller names for an engine. 0: it is not there. */
static int named_root(struct places *p, const struct storage_place *place, const char *engine)
{
	struct insp_err err = { 0 };
	int r = storage_add_root(p->scan, p->roots, place);

	if (r == -ENOMEM || r >= 0)
		return r < 0 ? r : 1;
	if (is_gone(p->scan, place, ROOT_GRAPH, r) || (r == -ENOENT && !engine))
		return 0;
	insp_err_set(&err, r, "%s: open '%s'", engine ? engine : "container storage", place->path);
	if (r == -EACCES)
		insp_err_hint(&err, "its containers are root's: run this as root");
	engine_scan_fail(p->scan, &err);
	return 1;
}

static int named_roots(struct places *p)
{
	const struct insp_sys *sys = p->scan->sys;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sys->n_stores; i++) {
		const char *name = sys->stores[i].engine;
		const struct engine *engine = engine_by_name(name, strlen(name));
		struct storage_place place = { .path = sys->stores[i].path, .only = (uid_t)-1 };

		if (engine && engine->storage)
			r = named_root(p, &place, name);
	}
	return r < 0 ? r : 0;
}

/* Where it is when the user's own file does not tell. */
static char *user_graph(const struct places *p, const struct storage_user *user)
{
	_cleanup_storage_conf_ struct storage_conf theirs = { 0 };

	/* the system's file again, with this user's values in its variables */
	if (p->conf.rootless_path) {
		if (storage_conf_read(p->scan, SYSTEM_CONF, user, false, &theirs) < 0)
			return NULL;
		if (theirs.rootless_path)
			return TAKE_PTR(theirs.rootless_path);
	}
	return str_format("%s/" USER_GRAPH, user->home);
}

static int user_root(struct places *p, const struct storage_user *user)
{
	_cleanup_storage_conf_ struct storage_conf own = { 0 };
	_cleanup_free_ char *graph = NULL;
	_cleanup_free_ char *conf = str_format("%s/" USER_CONF, user->home);
	struct storage_place place = { .only = user->uid };
	int r = 0;

	if (!conf)
		return -ENOMEM;
	r = storage_conf_read(p->scan, conf, user, true, &own);
	if (r < 0)
		return r;
	graph = user_graph(p, user);
	if (!graph)
		return -ENOMEM;
	place.run_root = own.run_root;
	if (own.graph_root) {
		place.path = own.graph_root;
		place.conf = conf;
		r = storage_add_root(p->scan, p->roots, &place);
		if (r == -ENOMEM || !(is_gone(p->scan, &place, graph, r) || own.broken))
			return r == -ENOMEM ? r : 0;
	}
	place.path = graph;
	/* most users have none; and what may not be opened is not the caller's */
	r = storage_add_root(p->scan, p->roots, &place);
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

static int user_roots(struct places *p)
{
	_cleanup_io_buf_ struct io_buf subuid = { 0 };
	_cleanup_close_ int fd = -EBADF;
	const struct passwd_table *table;

	if (engine_scan_users(p->scan, &table) < 0)
		return 0;
	fd = sys_open_file(p->scan->sys, SUBUID_FILE);
	if (fd >= 0 && io_read_regular(fd, SUBUID_MAX, &subuid) < 0)
		subuid = (struct io_buf){ 0 };
	for (size_t i = 0; i < table->n && p->roots->n < USER_ROOTS_MAX; i++) {
		const struct passwd_entry *e = &table->items[i];
		struct storage_user user = { .name = e->name, .home = e->home, .uid = e->uid };
		int r;

		if (!may_have_store(&subuid, e))
			continue;
		r = user_root(p, &user);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the system's configuration says, and the default where that cannot be believed. */
static int system_root(struct places *p)
{
	struct storage_place own = { .path = ROOT_GRAPH, .only = (uid_t)-1, .conf = SYSTEM_CONF };
	int r = storage_conf_read(p->scan, SYSTEM_CONF, NULL, false, &p->conf);
	bool broken = p->conf.broken;

	if (r == 0 && !p->conf.graph_root && !p->conf.run_root && !p->conf.rootless_path) {
		own.conf = VENDOR_CONF;
		storage_conf_free(&p->conf);
		r = storage_conf_read(p->scan, VENDOR_CONF, NULL, false, &p->conf);
		broken = broken || p->conf.broken;
	}
	if (r < 0)
		return r;
	own.run_root = p->conf.run_root;
	if (p->conf.graph_root) {
		own.path = p->conf.graph_root;
		r = named_root(p, &own, NULL);
		if (r < 0 || (r > 0 && !broken))
			return r < 0 ? r : 0;
		own.path = ROOT_GRAPH;
	}
	r = named_root(p, &own, NULL);
	return r < 0 ? r : 0;
}

static int find_all(struct places *p)
{
	int r = system_root(p);

	if (r == 0)
		r = named_roots(p);
	if (r == 0)
		r = user_roots(p);
	return r < 0 ? r : storage_discover(p->scan, p->roots);
}

int storage_roots(struct engine_scan *scan, const struct storage_roots **ret)
{
	struct scan_shared *shared = engine_scan_shared(scan, roots_free);
	struct places p = { .scan = scan, .roots = shared->data };
	int r = 0;

	if (!p.roots) {
		p.roots = calloc(1, sizeof(*p.roots));
		if (!p.roots)
			return -ENOMEM;
		shared->data = p.roots;
		r = find_all(&p);
		storage_conf_free(&p.conf);
	}
	*ret = p.roots;
	return r < 0 ? r : 0;
}
