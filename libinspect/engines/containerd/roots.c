/*
 * Where root directories are: the ones that the caller named, the default daemon's, and, where a list may walk /proc,
 * those of running daemons (by their arguments) and of daemons that were killed (by their shims: a shim stands in its
 * bundle STATE/io.containerd.runtime.v2.task/NS/ID, whose link `work` leads to the same below ROOT).
 */
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/hostproc.h"

#include <sys/stat.h>

#define PROGRAM	       "containerd"
#define SHIM	       "containerd-shim"
#define DEFAULT_ROOT   "/var/lib/containerd"
#define DEFAULT_STATE  "/run/containerd"
#define DEFAULT_CONFIG "/etc/containerd/config.toml"
#define CONFIG_MAX     (1024 * 1024)
#define TASKS	       "/io.containerd.runtime.v2.task/"

void containerd_root_close(struct containerd_root *root)
{
	root->meta = containerd_meta_close(root->meta);
}

static void root_free(struct containerd_root *root)
{
	util_close(root->fd);
	free(root->path);
	free(root->state);
	free(root->prefix);
	containerd_root_close(root);
}

static void roots_free(void *data)
{
	struct containerd_roots *roots = data;

	for (size_t i = 0; i < roots->n; i++)
		root_free(&roots->items[i]);
	free(roots->items);
	free(roots);
}

/* Paths on this host. state: NULL when not known; named: by the caller, who is told when it is not there. */
struct place {
	const char *root, *state, *prefix;
	const char *config; /* the file that names it, or NULL: the caller is told, too */
	bool named;
};

/* A daemon tells what the caller, who named its root, did not. */
static int complete(struct containerd_root *known, const struct place *place)
{
	if (known->state || !place->state)
		return 0;
	free(known->prefix);
	known->prefix = str_dup(place->prefix);
	known->state = str_dup(place->state);
	return known->state && known->prefix ? 0 : -ENOMEM;
}

/* Takes fd. */
static int append(struct containerd_roots *roots, int fd, const struct stat *st,
		  const struct place *place)
{
	struct containerd_root root = { .fd = fd,
					.path = str_dup(place->root),
					.state = str_dup(place->state),
					.prefix = str_dup(place->prefix),
					.owner = st->st_uid,
					.dev = st->st_dev,
					.ino = st->st_ino };
	struct containerd_root *items = reallocarray(roots->items, roots->n + 1, sizeof(*items));

	if (items)
		roots->items = items;
	if (!items || !root.path || !root.prefix || (place->state && !root.state)) {
		root_free(&root);
		return -ENOMEM;
	}
	roots->items[roots->n++] = root;
	return 0;
}

static int add_root(struct engine_scan *scan, struct containerd_roots *roots,
		    const struct place *place)
{
	_cleanup_close_ int fd = sys_open(scan->sys, place->root, O_PATH | O_DIRECTORY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = fd < 0 ? fd : -errno;
		struct insp_err err = { 0 };

		if (!place->named && !place->config && (r == -ENOENT || r == -ENOTDIR))
			return 0;
		if (place->config)
			insp_err_set(&err, r, "containerd: open '%s', which '%s' names",
				     place->root, place->config);
		else
			insp_err_set(&err, r, "containerd: open '%s'", place->root);
		if (place->config)
			insp_err_hint(&err, "the default root is looked at");
		if (r == -EACCES)
			insp_err_hint(&err, "its containers are root's: run this as root");
		engine_scan_fail(scan, &err);
		return 0;
	}
	for (size_t i = 0; i < roots->n; i++)
		if (roots->items[i].dev == st.st_dev && roots->items[i].ino == st.st_ino)
			return complete(&roots->items[i], place);
	return append(roots, TAKE_FD(fd), &st, place);
}

static int add_named(struct engine_scan *scan, struct containerd_roots *roots)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < scan->sys->n_stores; i++) {
		const struct insp_store *s = &scan->sys->stores[i];

		if (str_eq(s->engine, engine_containerd.name) || str_eq(s->engine, engine_cri.name))
			r = add_root(
				scan, roots,
				&(struct place){ .root = s->path, .prefix = "", .named = true });
	}
	return r;
}

/*
 * The administrator's file may be a link. One that is not there, or may not be opened, changes nothing. *ret_broken: not all
 * of it could be read.
 */
static int read_config(struct engine_scan *scan, const char *path, struct containerd_flags *f,
		       bool *ret_broken)
{
	_cleanup_close_ int fd = sys_open_file(scan->sys, path);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct insp_err err = { 0 };
	struct stat st;
	int r;

	*ret_broken = false;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	r = io_read_fd(fd, CONFIG_MAX, &b);
	if (r < 0)
		insp_err_set(&err, r, "containerd: read '%s'", path);
	else
		r = containerd_config_parse(b.data, b.len, f, &err);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -EBADMSG)
		insp_err_wrap(&err, r, "containerd: read '%s'", path);
	insp_err_hint(&err, "the default root is looked at");
	engine_scan_fail(scan, &err);
	*ret_broken = true;
	return 0;
}

/* By its path, or by another that leads there: a root that is listed was opened. */
static bool is_known(const struct containerd_roots *roots, const char *path)
{
	for (size_t i = 0; i < roots->n; i++)
		if (str_eq(roots->items[i].path, path))
			return true;
	return false;
}

/* The root and state that flags and the configuration file come to. */
static int add_flags(struct engine_scan *scan, struct containerd_roots *roots, const char *prefix,
		     struct containerd_flags *f)
{
	_cleanup_free_ char *config = NULL, *root = NULL, *state = NULL, *usual = NULL;
	struct place place = { .prefix = prefix };
	bool told = f->root, broken;
	int r;

	config = str_format("%s%s", prefix, f->config_file ? f->config_file : DEFAULT_CONFIG);
	usual = str_format("%s" DEFAULT_ROOT, prefix);
	r = config && usual ? read_config(scan, config, f, &broken) : -ENOMEM;
	if (r < 0)
		return r;
	/* a relative one depends on where the daemon was started: nobody does that */
	root = str_format("%s%s", prefix, f->root && f->root[0] == '/' ? f->root : DEFAULT_ROOT);
	state = str_format("%s%s", prefix,
			   f->state && f->state[0] == '/' ? f->state : DEFAULT_STATE);
	if (!root || !state)
		return -ENOMEM;
	place.root = root;
	place.state = state;
	if (!told && !str_eq(root, usual))
		place.config = config;
	r = add_root(scan, roots, &place);
	if (r == 0 && place.config && (broken || !is_known(roots, root))) {
		place.root = usual;
		place.config = NULL;
		r = add_root(scan, roots, &place);
	}
	return r;
}

static int add_default(struct engine_scan *scan, struct containerd_roots *roots)
{
	_cleanup_containerd_flags_ struct containerd_flags f = { 0 };

	return add_flags(scan, roots, "", &f);
}

static int add_daemon(struct engine_scan *scan, struct containerd_roots *roots, pid_t pid)
{
	_cleanup_containerd_flags_ struct containerd_flags f = { 0 };
	_cleanup_io_buf_ struct io_buf args = { 0 };
	_cleanup_hostproc_ struct hostproc proc = { 0 };
	int r = hostproc_read_root(scan->sys, pid, &proc);

	if (r <= 0)
		return r;
	r = hostproc_args(scan->sys, &proc, &args);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = containerd_flags_parse(args.data, args.len, &f);
	return r < 0 ? r : add_flags(scan, roots, proc.prefix, &f);
}

static bool is_known_state(const struct containerd_roots *roots, const char *path, size_t len)
{
	for (size_t i = 0; i < roots->n; i++) {
		const char *state = roots->items[i].state;

		if (state && strlen(state) == len && memcmp(state, path, len) == 0)
			return true;
	}
	return false;
}

/* The root that a bundle's link `work` leads into, as this host sees it. NULL: it tells none. -ENOMEM. */
static int root_of_bundle(const struct insp_sys *sys, const char *bundle, const char *prefix,
			  char **ret)
{
	_cleanup_close_ int fd = sys_open(sys, bundle, O_PATH | O_DIRECTORY);
	_cleanup_free_ char *work = NULL;
	const char *tasks;
	int r = fd < 0 ? fd : io_readlink(fd, "work", &work);

	*ret = NULL;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	tasks = strstr(work, TASKS);
	if (!tasks || work[0] != '/')
		return 0;
	*ret = str_format("%s%.*s", prefix, (int)(tasks - work), work);
	return *ret ? 0 : -ENOMEM;
}

static int add_shim(struct engine_scan *scan, struct containerd_roots *roots, pid_t pid)
{
	_cleanup_free_ char *bundle = NULL, *root = NULL;
	_cleanup_hostproc_ struct hostproc proc = { 0 };
	char path[32], *tasks;
	int r;

	snprintf(path, sizeof(path), "%d/cwd", (int)pid);
	r = io_readlink(scan->sys->procfd, path, &bundle);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	tasks = strstr(bundle, TASKS);
	if (!tasks || is_known_state(roots, bundle, (size_t)(tasks - bundle)))
		return 0;
	r = hostproc_read_root(scan->sys, pid, &proc);
	if (r <= 0)
		return r;
	r = root_of_bundle(scan->sys, bundle, proc.prefix, &root);
	if (r < 0 || !root)
		return r;
	*tasks = '\0';
	return add_root(scan, roots,
			&(struct place){ .root = root, .state = bundle, .prefix = proc.prefix });
}

static int add_walked(struct engine_scan *scan, struct containerd_roots *roots)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(scan, &procs);

	for (size_t i = 0; r >= 0 && i < procs->n; i++)
		if (strcmp(procs->items[i].exe, PROGRAM) == 0)
			r = add_daemon(scan, roots, procs->items[i].pid);
	for (size_t i = 0; r >= 0 && i < procs->n; i++)
		if (str_starts(procs->items[i].exe, SHIM))
			r = add_shim(scan, roots, procs->items[i].pid);
	return r < 0 ? r : 0;
}

static int find_all(struct engine_scan *scan, struct containerd_roots *roots)
{
	int r = add_named(scan, roots);

	if (r == 0)
		r = add_default(scan, roots);
	return r < 0 ? r : add_walked(scan, roots);
}

int containerd_roots(struct engine_scan *scan, struct containerd_roots **ret)
{
	struct scan_shared *shared = engine_scan_shared(scan, roots_free);
	struct containerd_roots *roots = shared->data;
	int r = 0;

	if (!roots) {
		roots = calloc(1, sizeof(*roots));
		if (!roots)
			return -ENOMEM;
		shared->data = roots;
		r = find_all(scan, roots);
	}
	*ret = roots;
	return r;
}

int containerd_root_open(struct engine_scan *scan, struct containerd_root *root,
			 struct containerd_meta **ret, struct insp_err *err)
{
	int r = root->meta ? 0
			   : containerd_meta_open(scan, root->fd, root->path, root->owner,
						  &root->meta, err);

	*ret = root->meta;
	return r;
}
