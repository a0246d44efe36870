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

/* O_PATH, and what it is. */
static int open_source(const struct insp_files *f, const char *path, struct stat *st)
{
	struct hostpaths paths = { .sys = f->sys };
	_cleanup_free_ char *tidy = hostpath_tidy(path), *canonical = NULL;
	_cleanup_close_ int fd = -EBADF;
	bool roots = f->container->owner == 0;

	if (!tidy)
		return -ENOMEM;
	if (roots) {
		fd = sys_open(f->sys, tidy, O_PATH);
	} else {
		canonical = hostpath_canonical(&paths, tidy);
		hostpaths_clear(&paths);
		fd = canonical ? io_open_no_links(f->sys->rootfd, canonical) : -ENOMEM;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		return -errno;
	/* a link that stayed one; nothing may be read or written through it */
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return roots || is_users(f, st) ? TAKE_FD(fd) : -EPERM;
}

/* The directory that a single file is in, when it still is that file there. */
static int open_parent(const struct insp_files *f, const char *path, const struct stat *file,
		       char **ret_name)
{
	_cleanup_free_ char *tidy = hostpath_tidy(path);
	char *slash = tidy ? strrchr(tidy, '/') : NULL;
	_cleanup_free_ char *name = slash ? str_dup(slash + 1) : NULL;
	_cleanup_close_ int fd = -EBADF;
	struct hostpaths paths = { .sys = f->sys };
	_cleanup_free_ char *canonical = NULL;
	struct stat st;

	if (!name)
		return -ENOMEM;
	slash[slash == tidy] = '\0';
	canonical = hostpath_canonical(&paths, tidy);
	hostpaths_clear(&paths);
	if (!canonical)
		return -ENOMEM;
	fd = f->container->owner == 0 ? sys_open(f->sys, tidy, O_PATH | O_DIRECTORY)
				      : io_open_no_links(f->sys->rootfd, canonical);
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
	return 0;
}

static int open_volume(const struct insp_files *f, bool to_write, struct volume *v)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!v->mount->source || v->mount->source[0] != '/')
		return -ENODATA;
	fd = open_source(f, v->mount->source, &st);
	if (fd < 0)
		return fd;
	if (!S_ISDIR(st.st_mode)) {
		int parent = open_parent(f, v->mount->source, &st, &v->name);

		util_close(fd);
		fd = parent;
	}
	return fd < 0 ? fd : add_view(f, fd, to_write, &v->view);
}

/* ---- all of them ---- */

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

static int add(const struct insp_files *f, bool to_write, const struct insp_mount *m,
	       struct volumes *vs)
{
	struct volume v = { .mount = m };
	int r = find_path(f, vs, m->destination, &v.path);

	if (r == 0)
		v.error = r = open_volume(f, to_write, &v);
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

int volumes_open(const struct insp_files *files, bool to_write, struct volumes *ret)
{
	const struct insp_container *c = files->container;
	size_t n = files->from == INSP_FILES_LAYERS ? c->n_mounts : 0;
	_cleanup_free_ const struct insp_mount **mounts = calloc(n + 1, sizeof(*mounts));
	_cleanup_volumes_ struct volumes v = { .items = calloc(n + 1, sizeof(*v.items)) };
	int r = mounts && v.items ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		mounts[i] = &c->mounts[i];
	if (r == 0)
		qsort(mounts, n, sizeof(*mounts), by_depth);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(files, to_write, mounts[i], &v);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct volumes){ 0 };
	return 0;
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
