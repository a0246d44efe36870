/*
 * A path of the host -> the containers whose layer, volume, log or directory it is in. Only the names in the engines'
 * records and the path itself are compared: nothing below a container's directory is opened, and no link in there is
 * followed, so that what a container has in its files says nothing about another.
 */
#include "libinspect/resolve/find.h"
#include "libinspect/resolve/hostpath.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define ID_LEN 64
#define RECORD_MAX \
	3 /* components below a store up to a directory that is called by an id; files of containers lie deeper */

enum kind {
	CLAIM_UPPER,
	CLAIM_TREE,
	CLAIM_OWN_DIR,
	CLAIM_WORK,
	CLAIM_ENGINE_LAYER,
	CLAIM_LAYER,
	CLAIM_ROOTFS,
	CLAIM_LOG,
	CLAIM_RECORD,
	CLAIM_MOUNT, /* weaker than the others */
};

/* A directory or file that is a container's. */
struct claim {
	enum kind kind;
	size_t container; /* index */
	char *path, *canonical;
	size_t layer; /* 1 is the uppermost */
	const struct insp_mount *mount;
};

struct by_path {
	struct finder *f;
	struct hostpaths paths;
	char *asked, *canonical, *shown;
	struct claim *claims;
	size_t n, cap;
};

static void by_path_clear(struct by_path *by)
{
	for (size_t i = 0; i < by->n; i++) {
		free(by->claims[i].path);
		free(by->claims[i].canonical);
	}
	free(by->claims);
	free(by->asked);
	free(by->canonical);
	free(by->shown);
	hostpaths_clear(&by->paths);
}

/* ---- what a container claims ---- */

/*
 * A user's record is that user's word: of layers and files it only speaks for what is in the user's own store, and no
 * directory outside that is looked at because of it.
 */
static int add_claim(struct by_path *by, const struct claim *claim, const char *path)
{
	const struct insp_container *c = by->f->list.items[claim->container];
	struct claim copy = *claim;
	bool in_store = c->store && str_path_is_below(path, c->store);

	if (path[0] != '/' || (strcmp(path, "/") == 0 && claim->kind != CLAIM_MOUNT))
		return 0;
	if (c->owner != 0 && !in_store && claim->kind != CLAIM_MOUNT)
		return 0;
	if (!util_grow(&by->claims, by->n, &by->cap, sizeof(*by->claims), 256))
		return -ENOMEM;
	copy.path = hostpath_tidy(path);
	if (!copy.path)
		return -ENOMEM;
	copy.canonical = c->owner == 0 || in_store ? hostpath_canonical(&by->paths, copy.path)
						   : strdup(copy.path);
	by->claims[by->n++] = copy;
	return copy.canonical ? 0 : -ENOMEM;
}

/* The directory that a layer's files are in together with its own notes: overlay2/ID of overlay2/ID/diff. */
static int add_parent(struct by_path *by, const struct claim *claim, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = NULL;

	if (!slash || slash == path || (!str_eq(slash, "/diff") && !str_eq(slash, "/fs")))
		return 0;
	parent = strndup(path, (size_t)(slash - path));
	return parent ? add_claim(by, claim, parent) : -ENOMEM;
}

static int add_layers(struct by_path *by, size_t i, const struct insp_layers *l)
{
	struct claim claim = { .kind = l->kind == INSP_ROOT_DIR ? CLAIM_TREE : CLAIM_UPPER,
			       .container = i };
	struct claim own = { .kind = CLAIM_OWN_DIR, .container = i };
	int r = l->upper ? add_claim(by, &claim, l->upper) : 0;

	if (r == 0 && l->upper)
		r = add_parent(by, &own, l->upper);
	claim.kind = CLAIM_WORK;
	if (r == 0 && l->work)
		r = add_claim(by, &claim, l->work);
	for (size_t k = 0; r == 0 && k < l->n_lowers; k++) {
		claim.kind = k < l->n_engine ? CLAIM_ENGINE_LAYER : CLAIM_LAYER;
		claim.layer = k < l->n_engine ? k + 1 : k + 1 - l->n_engine;
		r = add_claim(by, &claim, l->lowers[k]);
		if (r == 0)
			r = add_parent(by, &claim, l->lowers[k]);
	}
	return r;
}

/* The directory that a volume is called by: the engine mounts the directory _data in it. */
static int add_volume(struct by_path *by, const struct claim *claim)
{
	static const char data[] = "/_data";
	const struct insp_mount *m = claim->mount;
	_cleanup_free_ char *tail = m->name ? str_format("/%s%s", m->name, data) : NULL;
	_cleanup_free_ char *dir = NULL;

	if (!m->name || (tail && !str_ends(m->source, tail)))
		return 0;
	dir = strndup(m->source, strlen(m->source) - strlen(data));
	return tail && dir ? add_claim(by, claim, dir) : -ENOMEM;
}

static int add_container(struct by_path *by, size_t i)
{
	const struct insp_container *c = by->f->list.items[i];
	struct claim claim = { .kind = CLAIM_ROOTFS, .container = i };
	int r = c->layers ? add_layers(by, i, c->layers) : 0;

	if (r == 0 && c->rootfs)
		r = add_claim(by, &claim, c->rootfs);
	claim.kind = CLAIM_LOG;
	if (r == 0 && c->log_path)
		r = add_claim(by, &claim, c->log_path);
	claim.kind = CLAIM_MOUNT;
	for (size_t k = 0; r == 0 && k < c->n_mounts; k++) {
		claim.mount = &c->mounts[k];
		if (c->mounts[k].source)
			r = add_claim(by, &claim, c->mounts[k].source);
		if (r == 0 && c->mounts[k].source)
			r = add_volume(by, &claim);
	}
	return r;
}

/* ---- which of them hold the path ---- */

/* How many bytes of the path the claim has; 0: it is elsewhere. A log's older files are called LOG.1, LOG.2.gz. */
static size_t holds(const struct by_path *by, const struct claim *claim)
{
	const char *rest;

	if (str_path_is_below(by->canonical, claim->canonical) ||
	    str_path_is_below(by->asked, claim->path))
		return strlen(claim->canonical);
	rest = claim->kind == CLAIM_LOG ? str_after(by->canonical, claim->canonical) : NULL;
	return rest && *rest == '.' && !strchr(rest, '/') ? strlen(claim->canonical) : 0;
}

/* Containers with the same layer. */
static size_t sharers(const struct by_path *by, const struct claim *claim)
{
	size_t n = 0, last = SIZE_MAX;

	for (size_t i = 0; i < by->n; i++) {
		const struct claim *o = &by->claims[i];

		/* a container's claims stand together */
		if (o->kind == claim->kind && o->container != last &&
		    str_eq(o->canonical, claim->canonical)) {
			last = o->container;
			n++;
		}
	}
	return n;
}

static int add_layer(struct by_path *by, const struct claim *claim)
{
	const struct insp_layers *l = by->f->list.items[claim->container]->layers;
	size_t n = sharers(by, claim);

	if (n < 2)
		return finder_add(by->f, claim->container,
				  "layer %zu of %zu below its own, of its image; no other uses it",
				  claim->layer, l->n_lowers - l->n_engine);
	return finder_add(by->f, claim->container,
			  "layer %zu of %zu below its own, of its image; shared by %zu containers",
			  claim->layer, l->n_lowers - l->n_engine, n);
}

static int add_mount(struct by_path *by, const struct claim *claim)
{
	const struct insp_container *c = by->f->list.items[claim->container];
	const struct insp_mount *m = claim->mount;
	_cleanup_free_ char *what = m->name ? str_format("volume %s", m->name)
					    : str_format("%s of %s", m->type, m->source);
	_cleanup_free_ char *says =
		c->owner != 0 && c->owner != (uid_t)-1
			? str_format(", says user %u's record", (unsigned)c->owner)
			: strdup("");

	if (!what || !says)
		return -ENOMEM;
	return finder_add(by->f, claim->container, "%s, mounted at %s%s%s", what, m->destination,
			  m->read_only ? " (read-only)" : "", says);
}

static int add_answer(struct by_path *by, const struct claim *claim)
{
	static const char *const words[] = {
		[CLAIM_UPPER] = "its own layer: what it has changed",
		[CLAIM_TREE] = "its root directory",
		[CLAIM_OWN_DIR] = "directory of its own layer",
		[CLAIM_WORK] = "overlay's work directory of its own layer",
		[CLAIM_ENGINE_LAYER] = "layer that the engine put below its own",
		[CLAIM_ROOTFS] = "its root, as the engine mounted it",
		[CLAIM_LOG] = "its log",
		[CLAIM_RECORD] = "its directory in the engine's store",
	};

	if (claim->kind == CLAIM_LAYER)
		return add_layer(by, claim);
	if (claim->kind == CLAIM_MOUNT)
		return add_mount(by, claim);
	return finder_add(by->f, claim->container, "%s", words[claim->kind]);
}

/* The deepest claims win: those of that length answer, a container once. */
static int add_deepest(struct by_path *by, bool mounts)
{
	size_t most = 0, last = SIZE_MAX;

	for (size_t i = 0; i < by->n; i++)
		if ((by->claims[i].kind == CLAIM_MOUNT) == mounts)
			most = MAX_OF(most, holds(by, &by->claims[i]));
	for (size_t i = 0; most > 0 && i < by->n; i++) {
		const struct claim *claim = &by->claims[i];

		if ((claim->kind == CLAIM_MOUNT) != mounts || claim->container == last ||
		    holds(by, claim) != most)
			continue;
		last = claim->container;
		if (add_answer(by, claim) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Whether the path below store goes through a directory that is called by the id. */
static bool goes_through(const char *path, const char *store, const char *id)
{
	const char *p = path + strlen(store);
	bool is_hex = str_is_hex(id, ID_LEN);

	if (!str_path_is_below(path, store))
		return false;
	for (int depth = 0; *p == '/' && depth < (is_hex ? RECORD_MAX : 1); depth++) {
		size_t n = strcspn(p + 1, "/");

		if (strlen(id) == n && memcmp(p + 1, id, n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* The engine's own files of a container: its configuration, its state, what is mounted over /etc/hosts. */
static int add_by_record(struct by_path *by)
{
	for (size_t i = 0; i < by->f->list.n; i++) {
		const struct insp_container *c = by->f->list.items[i];
		struct claim claim = { .kind = CLAIM_RECORD, .container = i };
		_cleanup_free_ char *store = c->store ? hostpath_tidy(c->store) : NULL;
		_cleanup_free_ char *canonical =
			store ? hostpath_canonical(&by->paths, store) : NULL;

		if (!canonical || (!goes_through(by->asked, store, c->id) &&
				   !goes_through(by->canonical, canonical, c->id)))
			continue;
		if (add_answer(by, &claim) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- none ---- */

static bool is_there(const struct by_path *by)
{
	_cleanup_free_ char *parent = strdup(by->canonical);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	char *slash;

	if (!parent)
		return true;
	slash = strrchr(parent, '/');
	if (!slash[1])
		return true;
	*slash = '\0';
	fd = sys_open(by->f->sys, *parent ? parent : "/", O_PATH | O_DIRECTORY);
	return fd >= 0 ? fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 : fd == -EACCES;
}

/* A container whose store has the path, or is below it. *ret_inside says which. NULL: none. */
static const struct insp_container *near_store(const struct by_path *by, bool *ret_inside)
{
	for (size_t i = 0; i < by->f->list.n; i++) {
		const struct insp_container *c = by->f->list.items[i];

		if (!c->store || strcmp(c->store, "/") == 0)
			continue;
		if (str_path_is_below(by->asked, c->store) ||
		    str_path_is_below(by->canonical, c->store)) {
			*ret_inside = strcmp(by->asked, c->store) != 0;
			return c;
		}
		if (str_path_is_below(c->store, by->asked)) {
			*ret_inside = false;
			return c;
		}
	}
	return NULL;
}

/* Whether a directory below the path, an open one, is called by the container's id. */
static bool has_record(int fd, const struct insp_container *c)
{
	struct stat st;

	return fd >= 0 && c->id && !strchr(c->id, '/') &&
	       fstatat(fd, c->id, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The containers of which something lies below the path. */
static size_t count_below(const struct by_path *by, const char *store)
{
	_cleanup_close_ int fd = sys_open(by->f->sys, by->canonical, O_PATH | O_DIRECTORY);
	size_t n = 0, k = 0;

	for (size_t i = 0; i < by->f->list.n; i++) {
		const struct insp_container *c = by->f->list.items[i];
		bool below = str_eq(c->store, store) && has_record(fd, c);

		/* a container's claims stand together, in the order of the list */
		for (; k < by->n && by->claims[k].container == i; k++)
			below = below || str_path_is_below(by->claims[k].canonical, by->canonical);
		n += below;
	}
	return n;
}

/* What it may be instead: by its place in the store, as docker and podman arrange theirs. */
static const char *what_else(const struct by_path *by, const char *store)
{
	const char *path = str_path_is_below(by->asked, store) ? by->asked : by->canonical;
	const char *volume = str_after(path + strlen(store), "/volumes");

	if (volume && !*volume)
		return "volumes that no container has, running or stopped";
	if (volume && *volume == '/')
		return "a volume that no container has, running or stopped";
	return "an image's layer that no container uses, what several share, or left behind by "
	       "one that is gone";
}

static int in_store(struct by_path *by, const struct insp_container *c, bool there)
{
	_cleanup_free_ char *store = finder_shown(c->store);
	size_t below = there ? count_below(by, c->store) : 0;
	int r;

	if (below > 0) {
		r = finder_nothing(
			by->f,
			"'%s' is no single container's: in the %s store '%s', it holds what is %zu containers'",
			by->shown, c->engine, store, below);
		if (by->f->diags.n == 0)
			insp_err_hint(by->f->err, "name a directory below it");
		return r;
	}
	r = finder_nothing(by->f, "'%s' is no container's, though in the %s store '%s'", by->shown,
			   c->engine, store);
	if (by->f->diags.n == 0)
		insp_err_hint(by->f->err, "%s",
			      there ? what_else(by, c->store) : "there is no such file");
	return r;
}

static int no_container(struct by_path *by)
{
	bool inside = false;
	const struct insp_container *c = near_store(by, &inside);
	bool there = is_there(by);
	_cleanup_free_ char *store = c ? finder_shown(c->store) : NULL;
	int r;

	if (c && inside)
		return in_store(by, c, there);
	if (c) {
		r = finder_nothing(by->f,
				   "'%s' is no single container's: the %s store '%s' is there",
				   by->shown, c->engine, store);
		if (by->f->diags.n == 0)
			insp_err_hint(by->f->err, "name a directory below it");
		return r;
	}
	r = finder_nothing(by->f, "'%s' is no container's", by->shown);
	if (by->f->diags.n == 0)
		insp_err_hint(by->f->err, "%s",
			      there ? "it is the host's own" : "there is no such file");
	return r;
}

/*
 * STORE/DRIVER/l/SHORT is what a layer is called in overlay's options: a link of the engine's to ../LAYER/diff. Only one of
 * that form is followed, which leads nowhere but into the directory beside it. NULL: path is none.
 */
static char *layer_of_link(const struct by_path *by, const char *store, const char *path)
{
	const char *driver = str_path_is_below(path, store) ? path + strlen(store) : "";
	const char *l = *driver ? driver + 1 + strcspn(driver + 1, "/") : "";
	const char *name = str_after(l, "/l/"), *layer;
	size_t len = name ? strcspn(name, "/") : 0;
	_cleanup_free_ char *dir = NULL, *link = NULL, *target = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (len == 0)
		return NULL;
	dir = strndup(path, (size_t)(l - path) + strlen("/l"));
	link = strndup(name, len);
	fd = dir ? sys_open(by->f->sys, dir, O_PATH | O_DIRECTORY) : -ENOMEM;
	if (!link || fd < 0 || io_readlink(fd, link, &target) < 0)
		return NULL;
	layer = str_after(target, "../");
	if (!layer || layer[0] == '.' || !str_eq(strchr(layer, '/'), "/diff"))
		return NULL;
	return str_format("%.*s/%s%s", (int)(l - path), path, layer, name + len);
}

/* The path of a layer in place of its link in a store. */
static int follow_layer(struct by_path *by)
{
	for (size_t i = 0; i < by->f->list.n; i++) {
		const struct insp_container *c = by->f->list.items[i];
		_cleanup_free_ char *store = c->store ? hostpath_tidy(c->store) : NULL;
		_cleanup_free_ char *canonical =
			store ? hostpath_canonical(&by->paths, store) : NULL;
		char *layer = canonical ? layer_of_link(by, canonical, by->canonical) : NULL;

		if (c->store && !canonical)
			return -ENOMEM;
		if (!layer)
			continue;
		free(by->asked);
		free(by->canonical);
		by->canonical = layer;
		by->asked = strdup(layer);
		return by->asked ? 0 : -ENOMEM;
	}
	return 0;
}

static int ask(struct by_path *by)
{
	struct finder *f = by->f;
	int r = follow_layer(by);

	for (size_t i = 0; r == 0 && i < f->list.n; i++)
		r = add_container(by, i);
	if (r == 0)
		r = add_deepest(by, false);
	if (r == 0 && f->n_found == 0)
		r = add_by_record(by);
	if (r == 0 && f->n_found == 0)
		r = add_deepest(by, true);
	if (r < 0)
		return insp_err_set(f->err, r, "look for a container");
	return f->n_found ? 0 : no_container(by);
}

int find_by_path(struct finder *f)
{
	_cleanup_(by_path_clear) struct by_path by = { .f = f, .paths = { .sys = f->sys } };
	int r;

	if (f->text[0] != '/')
		return finder_bad(f, "is not an absolute path");
	if (strlen(f->text) >= PATH_MAX)
		return insp_err_say(f->err, -EINVAL, "the path is too long");
	by.asked = hostpath_tidy(f->text);
	by.canonical = by.asked ? hostpath_canonical(&by.paths, by.asked) : NULL;
	by.shown = finder_shown(f->text);
	if (!by.canonical || !by.shown)
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	r = finder_list(f, INSP_WANT_FILES | INSP_WANT_DETAIL | INSP_WANT_STOPPED);
	return r < 0 ? r : ask(&by);
}
