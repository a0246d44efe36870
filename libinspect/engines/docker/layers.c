/*
 * The directories that a container's root is made of (docs/formats/docker.md). The graph drivers' are looked up and
 * seen to be there, each one below the driver's directory and no link followed on the way: whoever may write the store
 * could otherwise show any directory of the host as a layer. Containerd's image store is containerd's to read.
 *
 * moby: layer/filestore.go (layerdb/mounts), daemon/graphdriver/overlay2/overlay.go (lower, link, l/), vfs/driver.go.
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/engines/oci/chain.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define INIT_SUFFIX   "-init"
#define MANAGED_CROOT "containerd/daemon"
#define LINKS	      "l"
#define LETTERS	      "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	      "0123456789"
/*
 * A directory that a user's record names costs system calls, not bytes. An entry of 29 bytes, taken this many times,
 * weighs about what it costs.
 */
#define COST_OF_LOWER 16

static const struct graph_driver {
	const char *name, *dir;
	enum insp_root_kind kind;
} graph_drivers[] = {
	{ "overlay2", "overlay2", INSP_ROOT_OVERLAY },
	{ "fuse-overlayfs", "fuse-overlayfs", INSP_ROOT_FUSE_OVERLAY },
	{ "vfs", "vfs/dir", INSP_ROOT_DIR },
};

/* One container's directories while they are looked up. */
struct lookup {
	struct engine_scan *scan;
	struct docker_root *root;
	const struct graph_driver *driver;
	int dir;   /* the driver's directory */
	int links; /* its l/ */
	struct insp_layers *layers;
	char init_id[DOCKER_LAYER_ID_MAX + 1];
	struct insp_err *err;
};

/* ---- names ------------------------------------------------------------------------------------------- */

/* 64 hex digits; what BuildKit made has 25 letters and digits. */
static bool is_layer_id(const char *s, size_t len)
{
	size_t suffix = strlen(INIT_SUFFIX), n;

	if (len > suffix && memcmp(s + len - suffix, INIT_SUFFIX, suffix) == 0)
		len -= suffix;
	n = strspn(s, LETTERS DIGITS);
	return len > 0 && len <= DOCKER_ID_LEN && n >= len;
}

bool docker_is_layer_id(const char *s)
{
	return is_layer_id(s, strlen(s));
}

int docker_layer_link(const char *target, char id[DOCKER_LAYER_ID_MAX + 1])
{
	const char *name = str_after(target, "../"), *slash = name ? strchr(name, '/') : NULL;

	if (!slash || strcmp(slash, "/diff") != 0 || !is_layer_id(name, (size_t)(slash - name)))
		return -EBADMSG;
	snprintf(id, DOCKER_LAYER_ID_MAX + 1, "%.*s", (int)(slash - name), name);
	return 0;
}

/* 26 capitals and digits: base 32 (overlay2/randomid.go) */
static bool is_link_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

int docker_lower_next(const char **p, const char *end, char name[DOCKER_LINK_MAX + 1])
{
	size_t len;

	if (*p == end)
		return 0;
	if (end - *p < 3 || memcmp(*p, LINKS "/", 2) != 0)
		return -EBADMSG;
	*p += 2;
	for (len = 0; *p + len < end && (*p)[len] != ':'; len++)
		if (len == DOCKER_LINK_MAX || !is_link_char((*p)[len]))
			return -EBADMSG;
	if (len == 0)
		return -EBADMSG;
	memcpy(name, *p, len);
	name[len] = '\0';
	*p += len;
	/* a colon has something behind it */
	if (*p < end && ++*p == end)
		return -EBADMSG;
	return 1;
}

/* ---- a graph driver's directories ---------------------------------------------------------------------- */

/* O_PATH on the directory path below dirfd, with no link on the way. */
static int open_plain(int dirfd, const char *path)
{
	_cleanup_free_ char *words = strdup(path);
	int fd = words ? dirfd : -ENOMEM;
	char *rest = words;

	for (char *word; fd >= 0 && (word = strsep(&rest, "/"));) {
		int next = openat(fd, word, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		next = next < 0 ? -errno : next;
		if (fd != dirfd)
			util_close(fd);
		fd = next;
	}
	return fd;
}

/* 0 when name is a directory and no link. */
static int check_directory(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* The path of ID, or of what overlay has in it. *ret is new; err names it. */
static int look_up(const struct lookup *l, const char *id, const char *inside, char **ret)
{
	_cleanup_close_ int fd = open_plain(l->dir, id);
	int r = fd < 0 ? fd : inside ? check_directory(fd, inside) : 0;
	const char *slash = inside ? "/" : "";

	inside = inside ? inside : "";
	if (r < 0)
		return insp_err_set(l->err, r, "layer '%s/%s%s%s'", l->driver->dir, id, slash,
				    inside);
	*ret = str_format("%s/%s/%s%s%s", l->root->path, l->driver->dir, id, slash, inside);
	return *ret ? 0 : -ENOMEM;
}

static int add_lower(const struct lookup *l, const char *id, const char *inside)
{
	_cleanup_free_ char *path = NULL;
	int r = look_up(l, id, inside, &path);

	if (r < 0)
		return r;
	r = container_layers_add(l->layers, path);
	if (r == -E2BIG)
		return insp_err_say(l->err, r, "more than %d layers", CONTAINER_LAYERS_MAX);
	if (r == 0)
		r = container_layers_name(l->layers, id, NULL);
	if (r == 0 && l->layers->n_lowers == 1 && strcmp(id, l->init_id) == 0)
		l->layers->n_engine = 1;
	return r;
}

/* What l/NAME leads to, by its text alone. */
static int add_linked(const struct lookup *l, const char *name)
{
	_cleanup_free_ char *target = NULL;
	char id[DOCKER_LAYER_ID_MAX + 1];
	int r = io_readlink(l->links, name, &target);

	if (r < 0)
		return insp_err_set(l->err, r, "read link '%s/" LINKS "/%s'", l->driver->dir, name);
	if (docker_layer_link(target, id) < 0)
		return insp_err_say(l->err, -EBADMSG, "link '%s/" LINKS "/%s' leads to no layer",
				    l->driver->dir, name);
	return add_lower(l, id, "diff");
}

static int add_lowers(const struct lookup *l, const char *mount_id)
{
	_cleanup_close_ int fd = open_plain(l->dir, mount_id);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char name[DOCKER_LINK_MAX + 1];
	int r = fd < 0 ? fd : io_read_file(fd, "lower", IO_SMALL_MAX, &b, NULL);
	const char *p = b.data;

	if (r < 0)
		return insp_err_set(l->err, r, "read '%s/%s/lower'", l->driver->dir, mount_id);
	(void)engine_scan_spend(l->scan, l->root->owner, l->root->path, b.len * COST_OF_LOWER);
	while ((r = docker_lower_next(&p, b.data + b.len, name)) > 0) {
		r = add_linked(l, name);
		if (r < 0)
			return r;
	}
	return r < 0 ? insp_err_say(l->err, r, "'%s/%s/lower' is no list of layers", l->driver->dir,
				    mount_id)
		     : 0;
}

static int read_overlay(struct lookup *l, const char *mount_id)
{
	int r = look_up(l, mount_id, "diff", &l->layers->upper);

	if (r < 0)
		return r;
	if (look_up(l, mount_id, "work", &l->layers->work) == -ENOMEM)
		return -ENOMEM;
	*l->err = (struct insp_err){ 0 };
	l->links = open_plain(l->dir, LINKS);
	if (l->links < 0)
		return insp_err_set(l->err, l->links, "open '%s/" LINKS "'", l->driver->dir);
	r = add_lowers(l, mount_id);
	l->links = util_close(l->links);
	return r;
}

/* A whole tree; the one it was copied from has the engine's files already, so it is nothing but the changes' base. */
static int read_tree(struct lookup *l, const char *mount_id)
{
	int r = look_up(l, mount_id, NULL, &l->layers->upper);

	return r < 0 || !l->init_id[0] ? r : add_lower(l, l->init_id, NULL);
}

/* ---- which directory is the container's ------------------------------------------------------------------ */

/* mount-id or init-id; empty when it is not there or makes no sense. */
static void read_id(int dirfd, const char *file, char id[DOCKER_LAYER_ID_MAX + 1])
{
	char buf[DOCKER_LAYER_ID_MAX + 2]; /* a byte too many is seen */
	ssize_t n = io_read_small_file(dirfd, file, buf, sizeof(buf));

	id[0] = '\0';
	if (n > 0 && n <= DOCKER_LAYER_ID_MAX && is_layer_id(buf, (size_t)n))
		memcpy(id, buf, (size_t)n + 1);
}

static int open_mount(const struct docker_root *root, const char *driver, const char *id)
{
	_cleanup_free_ char *path = str_format("image/%s/layerdb/mounts/%s", driver, id);

	/* never out of the data root */
	return path ? insp_open_in_root(root->fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0)
		    : -ENOMEM;
}

static const struct graph_driver *find_driver(const struct docker_record *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(graph_drivers); i++)
		if (str_eq(graph_drivers[i].name, rec->driver))
			return &graph_drivers[i];
	return NULL;
}

int docker_mount_id(const struct docker_root *root, const struct docker_record *rec, const char *id,
		    char mount_id[DOCKER_LAYER_ID_MAX + 1])
{
	const struct graph_driver *driver = find_driver(rec);
	_cleanup_close_ int fd = driver ? open_mount(root, driver->name, id) : -ENOENT;

	if (fd < 0)
		return fd;
	read_id(fd, "mount-id", mount_id);
	return mount_id[0] ? 0 : -EBADMSG;
}

static int read_graph(struct lookup *l, const char *id)
{
	_cleanup_close_ int mount = open_mount(l->root, l->driver->name, id), dir = -EBADF;
	char mount_id[DOCKER_LAYER_ID_MAX + 1];
	int r;

	/* a container that failed to be made has none */
	if (mount < 0)
		return mount == -ENOENT ? 0
					: insp_err_set(l->err, mount, "open its layerdb/mounts");
	read_id(mount, "mount-id", mount_id);
	read_id(mount, "init-id", l->init_id);
	if (!mount_id[0])
		return insp_err_say(l->err, -EBADMSG, "'mount-id' names no layer");
	dir = open_plain(l->root->fd, l->driver->dir);
	if (dir < 0)
		return insp_err_set(l->err, dir, "open '%s/%s'", l->root->path, l->driver->dir);
	l->dir = dir;
	l->layers = container_layers_new(l->driver->kind);
	if (!l->layers || container_set(&l->layers->upper_id, mount_id) < 0)
		return -ENOMEM;
	if (l->driver->kind == INSP_ROOT_DIR)
		return read_tree(l, mount_id);
	r = read_overlay(l, mount_id);
	if (r == 0 && (l->scan->want & INSP_WANT_LAYER_IDS))
		r = docker_layer_diff_ids(l->root, l->driver->name, mount, l->layers);
	return r;
}

/* ---- containerd's image store ------------------------------------------------------------------------------ */

static int add_images(struct docker_root *root, struct containerd_meta *meta)
{
	struct containerd_meta **images =
		reallocarray(root->images, root->n_images + 1, sizeof(*images));

	if (!images)
		return -ENOMEM;
	root->images = images;
	images[root->n_images++] = meta;
	return 0;
}

/* The containerd that the daemon started itself. -ENOENT: it did not. */
static int open_managed(struct engine_scan *scan, struct docker_root *root, struct insp_err *err)
{
	_cleanup_close_ int fd = open_plain(root->fd, MANAGED_CROOT);
	_cleanup_free_ char *path = str_format("%s/%s", root->path, MANAGED_CROOT);

	if (!path)
		return -ENOMEM;
	return fd < 0 ? fd : containerd_meta_open(scan, fd, path, root->owner, &root->managed, err);
}

/* Of those of the system where it started none: which one is its own no file tells. */
static int open_images(struct engine_scan *scan, struct docker_root *root, struct insp_err *err)
{
	struct containerd_roots *roots;
	int r = open_managed(scan, root, err);

	if (r != -ENOENT || root->owner != 0)
		return r < 0 ? r : add_images(root, root->managed);
	r = containerd_roots(scan, &roots);
	for (size_t i = 0; (r == 0 || r == -ENOENT) && i < roots->n; i++) {
		struct containerd_meta *meta;

		if (roots->items[i].owner != 0)
			continue;
		r = containerd_root_open(scan, &roots->items[i], &meta, err);
		if (r == 0)
			r = add_images(root, meta);
	}
	return r;
}

/* The snapshot that one of the root's namespaces has of that name. */
static int find_snapshot(const struct docker_root *root, const char *driver, const char *key,
			 struct insp_layers **ret, struct insp_err *err)
{
	int r = -ENOENT;

	for (size_t n = 0; n < root->n_images; n++)
		for (size_t i = 0; r == -ENOENT && i < DOCKER_NAMESPACES; i++)
			if (root->namespaces[i][0])
				r = containerd_snapshot_layers(root->images[n], root->namespaces[i],
							       driver, key, ret, err);
	return r;
}

/* ID-init: the daemon's own files (daemon/containerd/image_snapshot.go), as with a graph driver. */
static int count_init(const struct docker_root *root, const char *driver, const char *id,
		      struct insp_layers *layers)
{
	_cleanup_layers_ struct insp_layers *init = NULL;
	_cleanup_free_ char *key = str_format("%s" INIT_SUFFIX, id);
	int r = key ? find_snapshot(root, driver, key, &init, NULL) : -ENOMEM;

	if (r == 0 && layers->n_lowers > 0 && str_eq(init->upper, layers->lowers[0]))
		layers->n_engine = 1;
	return r == -ENOMEM ? r : 0;
}

int docker_open_images(struct engine_scan *scan, struct docker_root *root, struct insp_err *err)
{
	int r = root->images_read ? 0 : open_images(scan, root, err);

	root->images_read = true;
	return r;
}

static int read_snapshot(struct engine_scan *scan, struct docker_root *root,
			 const struct docker_record *rec, struct insp_container *c,
			 struct insp_err *err)
{
	int r = docker_open_images(scan, root, err);

	if (root->n_images == 0)
		return r == -ENOENT ? 0 : r;
	r = find_snapshot(root, rec->driver, c->id, &c->layers, err);
	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : r;
	r = count_init(root, rec->driver, c->id, c->layers);
	for (size_t i = 0; i < root->n_images && r == 0 && (scan->want & INSP_WANT_LAYER_IDS); i++)
		r = containerd_layer_diff_ids(root->images[i], rec->image_id, c->layers);
	return r;
}

void docker_layers_note_damage(const struct docker_root *root)
{
	for (size_t i = 0; i < root->n_images; i++)
		(void)containerd_meta_note_damage(root->images[i]);
}

int docker_layers(struct engine_scan *scan, struct docker_root *root,
		  const struct docker_record *rec, struct insp_container *c, struct insp_err *err)
{
	struct lookup l = { .scan = scan, .root = root, .driver = find_driver(rec), .err = err };
	int r;

	if (!rec->driver)
		return 0;
	if (!l.driver)
		return read_snapshot(scan, root, rec, c, err);
	r = read_graph(&l, c->id);
	if (r < 0)
		container_layers_free(l.layers);
	else
		c->layers = l.layers;
	return r;
}

/* ---- an image's ---- */

const char *docker_graph_driver(size_t i)
{
	return i < ARRAY_SIZE(graph_drivers) ? graph_drivers[i].name : NULL;
}

/* The directory that has the layer, and with a whole tree all below it. */
static int add_chain(const struct lookup *l, const char *chain, const char *diff_id)
{
	char cache[DOCKER_LAYER_ID_MAX + 1];
	int r = docker_cache_id(l->root, l->driver->name, chain, cache);

	if (r < 0)
		return insp_err_set(l->err, r, "look up its layer %.19s", diff_id);
	r = add_lower(l, cache, l->driver->kind == INSP_ROOT_DIR ? NULL : "diff");
	if (r == 0 && l->driver->kind != INSP_ROOT_DIR)
		r = container_layers_name(l->layers, cache, diff_id);
	return r;
}

static int add_chains(const struct lookup *l, const json_t *diff_ids)
{
	size_t n = json_array_size(diff_ids),
	       last = l->driver->kind == INSP_ROOT_DIR && n > 0 ? n - 1 : 0;
	char(*chains)[OCI_DIGEST_SIZE] = calloc(n + 1, sizeof(*chains));
	int r = chains ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			memcpy(chains[i], chains[i - 1], sizeof(*chains));
		r = oci_chain_add(chains[i], json_string_value(json_array_get(diff_ids, i)));
	}
	for (size_t i = n; i-- > last && r == 0;)
		r = add_chain(l, chains[i], json_string_value(json_array_get(diff_ids, i)));
	free(chains);
	return r;
}

int docker_image_layers(struct engine_scan *scan, struct docker_root *root, const char *driver,
			const json_t *diff_ids, struct insp_layers **ret, struct insp_err *err)
{
	const struct docker_record rec = { .driver = driver };
	struct lookup l = { .scan = scan, .root = root, .driver = find_driver(&rec), .err = err };
	_cleanup_close_ int dir = l.driver ? open_plain(root->fd, l.driver->dir) : -ENOENT;
	int r;

	if (dir < 0)
		return insp_err_set(err, dir, "open '%s/%s'", root->path, driver);
	if (json_array_size(diff_ids) == 0)
		return insp_err_say(err, -ENODATA, "it has no layers");
	l.dir = dir;
	l.layers = container_layers_new(l.driver->kind);
	r = l.layers ? add_chains(&l, diff_ids) : -ENOMEM;
	if (r == 0)
		*ret = l.layers;
	else
		container_layers_free(l.layers);
	return r == -EBADMSG && !err->text[0] ? insp_err_say(err, r, "its layers have no digests")
					      : r;
}
