#include "libinspect/rootfs/volumes.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/sealedtree.h"
#include "libinspect/resolve/hostpath.h"

#include <limits.h>

static void volume_clear(struct volume *v)
{
	free(v->path);
	free(v->name);
	view_close(&v->view);
}

void volumes_close(struct volumes *v)
{
	for (size_t i = 0; i < v->n; i++)
		volume_clear(&v->items[i]);
	free(v->items);
	*v = (struct volumes){ 0 };
}

/* ---- the source ---- */

/* Whether a file is the user's own, or of an id that only that user's namespaces have. */
static bool is_users(const struct insp_files *f, const struct stat *st)
{
	return st->st_uid == f->container->owner ||
	       (f->ids && idmap_to_inside(&f->ids->uids, st->st_uid) != UINT32_MAX);
}

/* What a container's other mounts let it write to on the way to a source: how much of the tidy path is one of theirs. */
static size_t written_below(const struct insp_files *f, const char *tidy)
{
	size_t most = 0;

	for (size_t i = 0; i < f->container->n_mounts; i++) {
		const struct insp_mount *m = &f->container->mounts[i];
		_cleanup_free_ char *other = m->source && m->source[0] == '/' && !m->read_only
						     ? hostpath_tidy(m->source)
						     : NULL;
		size_t n = other ? strlen(other) : 0;

		/* of two that lie in each other the outer one: what is below it is the container's */
		if (n > 1 && strlen(tidy) > n && str_path_is_below(tidy, other) &&
		    (most == 0 || n < most))
			most = n;
	}
	return most;
}

/*
 * Root's word, O_PATH: links are followed up to what the container itself can write to: those below it may have made (-v
 * /srv:/srv -v /srv/db:/db, and /srv/db a link to /etc; kubernetes' subPath was CVE-2017-1002101).
 */
static int open_roots(const struct insp_files *f, const char *tidy)
{
	size_t n = written_below(f, tidy);
	_cleanup_free_ char *outer = n ? str_format("%.*s", (int)n, tidy) : NULL;
	_cleanup_close_ int fd = -EBADF;

	if (n == 0)
		return sys_open(f->sys, tidy, O_PATH);
	fd = outer ? sys_open(f->sys, outer, O_PATH) : -ENOMEM;
	return fd < 0 ? fd : io_open_no_links(fd, tidy + n);
}

/* A user's word, O_PATH. */
static int open_users(const struct insp_files *f, const char *tidy)
{
	struct hostpaths paths = { .sys = f->sys };
	_cleanup_free_ char *canonical = hostpath_canonical(&paths, tidy);

	hostpaths_clear(&paths);
	return canonical ? io_open_no_links(f->sys->rootfd, canonical) : -ENOMEM;
}

static int open_source_path(const struct insp_files *f, const char *tidy)
{
	return f->container->owner == 0 ? open_roots(f, tidy) : open_users(f, tidy);
}

/* O_PATH, and what it is. */
static int open_source(const struct insp_files *f, const char *path, struct stat *st)
{
	_cleanup_free_ char *tidy = hostpath_tidy(path);
	_cleanup_close_ int fd = tidy ? open_source_path(f, tidy) : -ENOMEM;

	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		return -errno;
	/* a link that stayed one; nothing may be read or written through it */
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return f->container->owner == 0 || is_users(f, st) ? TAKE_FD(fd) : -EPERM;
}

/* The directory that a single file is in, when it still is that file there. */
static int open_parent(const struct insp_files *f, const char *path, const struct stat *file,
		       char **ret_name)
{
	_cleanup_free_ char *tidy = hostpath_tidy(path);
	char *slash = tidy ? strrchr(tidy, '/') : NULL;
	_cleanup_free_ char *name = slash ? str_dup(slash + 1) : NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!name)
		return -ENOMEM;
	slash[slash == tidy] = '\0';
	fd = open_source_path(f, tidy);
	if (fd < 0)
		return fd;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* a link to it: its own directory would have to be looked for */
	if (!io_same_inode(&st, file))
		return -ELOOP;
	*ret_name = TAKE_PTR(name);
	return TAKE_FD(fd);
}

static int add_view(const struct insp_files *f, int dirfd, bool to_write, struct view *v)
{
	int fd = to_write ? -EBADF : sealedtree_open(dirfd), r;
	bool sealed = fd >= 0;

	if (!sealed)
		fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : view_add(v, fd);
	if (r < 0)
		return r;
	v->layers[0].sealed = sealed;
	v->layers[0].ids = f->ids;
	v->layers[0].rights = rootfs_rights(f);
	return 0;
}

/* By the configuration. */
static int open_configured(const struct insp_files *f, bool to_write, struct volume *v)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!v->mount->source || v->mount->source[0] != '/')
		return -ENODATA;
	fd = open_source(f, v->mount->source, &st);
	if (fd < 0)
		return fd;
	/* a disk with a file system that is not mounted here */
	if (S_ISBLK(st.st_mode) && !str_eq(v->mount->type, "bind"))
		return -ENODATA;
	if (!S_ISDIR(st.st_mode)) {
		int parent = open_parent(f, v->mount->source, &st, &v->name);

		util_close(fd);
		fd = parent;
	}
	return fd < 0 ? fd : add_view(f, fd, to_write, &v->view);
}

/* ---- what is mounted ---- */

/* What the mounts say of ids is the host's word, whatever form the layers are in. */
static int add_live_view(const struct insp_files *f, int dirfd, struct volume *v)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : view_add(&v->view, fd);

	if (r < 0)
		return r;
	/* a file is another mount than the directory that it is in */
	v->view.layers[0].one_mount = !v->name;
	v->view.layers[0].ids = f->ids;
	v->view.layers[0].rights = rootfs_rights(f);
	return 0;
}

/* Whether something is mounted on name, and no file system of the kernel's own. 0, or why not. */
static int check_mounted(int dirfd, const char *name, int fd)
{
	int alone = io_open_one_mount(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	util_close(alone);
	/* the container moved what it was mounted in, or could unmount it */
	if (alone >= 0 || view_is_pseudo(fd))
		return -ESTALE;
	return alone == -EXDEV ? 0 : alone;
}

/* As it is mounted in the running container at at. */
static int open_mounted(const struct insp_files *f, const struct path_at *at, struct volume *v)
{
	int parent = at->dir.parts[at->node.part].fd;
	_cleanup_close_ int fd = openat(parent, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : check_mounted(parent, at->name, fd);

	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		return f->container->owner == 0 || is_users(f, &st) ? add_live_view(f, fd, v)
								    : -EPERM;
	/* by name only, under which a user's container could mount another one: what its record says */
	if (f->container->owner != 0)
		return open_configured(f, false, v);
	v->name = str_dup(at->name);
	return v->name ? add_live_view(f, parent, v) : -ENOMEM;
}

static int open_live(const struct insp_files *f, const struct insp_files *live, struct volume *v)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	_cleanup_free_ char *absolute = str_format("/%s", v->mount->destination);
	int r = absolute ? path_resolve(&live->view, absolute, PATH_FOLLOW, &at) : -ENOMEM;

	if (r == 0 && (!at.exists || !at.name))
		r = -ENOENT;
	v->path = r == 0 ? TAKE_PTR(at.path) : absolute ? hostpath_tidy(absolute) : NULL;
	if (r == 0)
		r = open_mounted(f, &at, v);
	return !v->path ? -ENOMEM : r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? -ESTALE : r;
}

/* ---- all of them ---- */

/* How they are opened. */
struct opening {
	const struct insp_files *files;
	const struct insp_files *live; /* NULL: by the configuration */
	bool to_write;
};

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

static int by_depth(const void *a, const void *b)
{
	const struct insp_mount *const *x = a, *const *y = b;
	size_t dx = depth((*x)->destination), dy = depth((*y)->destination);

	/* in the record's order where one is not in the other: the last on a path is the one that is seen */
	return dx != dy ? (dx > dy) - (dx < dy) : (*x > *y) - (*x < *y);
}

/* Where it is mounted: an engine follows the container's links to it (/var/run -> /run). */
static int find_path(const struct insp_files *f, const struct volumes *v, const char *destination,
		     char **ret)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	_cleanup_free_ char *absolute = str_format("/%s", destination);
	int r = absolute ? volumes_resolve(&f->view, v, absolute, PATH_FOLLOW, &at) : -ENOMEM;

	/* the engine makes what is missing on the way when it starts */
	*ret = r == 0 ? TAKE_PTR(at.path) : absolute ? hostpath_tidy(absolute) : NULL;
	return *ret ? 0 : -ENOMEM;
}

static int add(const struct opening *o, const struct insp_mount *m, struct volumes *vs)
{
	struct volume v = { .mount = m };
	int r = o->live ? open_live(o->files, o->live, &v)
			: find_path(o->files, vs, m->destination, &v.path);

	if (r == 0 && !o->live)
		r = open_configured(o->files, o->to_write, &v);
	v.error = r;
	if (r == -ENOMEM) {
		volume_clear(&v);
		return r;
	}
	for (size_t i = 0; i < vs->n; i++)
		if (strcmp(vs->items[i].path, v.path) == 0) {
			volume_clear(&vs->items[i]);
			vs->items[i] = v;
			return 0;
		}
	vs->items[vs->n++] = v;
	return 0;
}

static int open_all(const struct opening *o, struct volumes *ret)
{
	const struct insp_container *c = o->files->container;
	size_t n = o->files->from == INSP_FILES_LAYERS ? c->n_mounts : 0;
	_cleanup_free_ const struct insp_mount **mounts = calloc(n + 1, sizeof(*mounts));
	_cleanup_volumes_ struct volumes v = { .items = calloc(n + 1, sizeof(*v.items)) };
	int r = mounts && v.items ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		mounts[i] = &c->mounts[i];
	if (r == 0)
		qsort(mounts, n, sizeof(*mounts), by_depth);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(o, mounts[i], &v);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct volumes){ 0 };
	return 0;
}

int volumes_open(const struct insp_files *files, bool to_write, struct volumes *ret)
{
	return open_all(&(struct opening){ files, NULL, to_write }, ret);
}

int volumes_open_live(const struct insp_files *files, const struct insp_files *live,
		      struct volumes *ret)
{
	return open_all(&(struct opening){ files, live, false }, ret);
}

int volume_open(const struct insp_files *f, const struct volume *v)
{
	int dir = v->view.layers[0].fd;
	_cleanup_close_ int fd =
		openat(dir, v->name ? v->name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) != !v->name)
		return -ESTALE;
	return f->container->owner == 0 || is_users(f, &st) ? TAKE_FD(fd) : -EPERM;
}

void volume_say(const struct volume *v, int error, const char *verb, struct insp_err *err)
{
	const char *source = v->mount->source, *path = v->mount->destination;

	if (error == -ENODATA && str_eq(v->mount->type, "tmpfs"))
		insp_err_say(err, 0, "%s '%s': a tmpfs, whose files went with the container", verb,
			     path);
	else if (error == -ENODATA)
		insp_err_say(err, error, "%s '%s': where its volume is on this host is not known",
			     verb, path);
	else if (error == -EPERM)
		insp_err_say(err, error, "%s '%s': its volume '%s' is not of the container's user",
			     verb, path, source ? source : "");
	else if (error == -ESTALE)
		insp_err_say(err, error, "%s '%s': its volume is not mounted there any more", verb,
			     path);
	else if (error == v->error)
		insp_err_set(err, error, "%s '%s': open its volume '%s'", verb, path,
			     source ? source : "");
	else
		insp_err_set(err, error, "%s '%s'", verb, path);
}

const struct volume *volumes_at(const struct volumes *v, const char *path)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->items[i].path, path) == 0)
			return &v->items[i];
	return NULL;
}

const struct volume *volumes_of(const struct volumes *v, const struct view_dir *dir)
{
	for (size_t i = 0; i < v->n; i++)
		if (dir->view == &v->items[i].view)
			return &v->items[i];
	return NULL;
}
