/*
 * What the path of one side names. In a container it is looked up in its view, as a process chrooted there would; on
 * the host the kernel does it, as for any program of the caller's.
 */
#include "libinspect/rootfs/copy-end.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"

#include <limits.h>

void copy_end_close(struct copy_end *end)
{
	path_at_close(&end->at);
	volumes_close(&end->volumes);
	view_close(&end->own);
	free(end->label);
	free(end->base);
	*end = (struct copy_end){ 0 };
}

void copy_chain_free(struct copy_into *into)
{
	while (into) {
		struct copy_into *up = into->up;

		copy_into_free(into);
		into = up;
	}
}

/* ---- the text of a path ---- */

/* Its length without slashes at the end; "/" keeps its one. */
static size_t without_slashes(const char *path, size_t len)
{
	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

static bool ends_in(const char *path, const char *last)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, last) == 0;
}

/* The name that was typed: of "a/b/", "a/b/." and "a/b" it is "b". NULL: none that is one. */
static char *typed_name(const char *path)
{
	size_t len = strlen(path), start;

	while (len > 1 && (path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/')))
		len--;
	start = len;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (len == start || strncmp(path + start, ".", len - start) == 0 ||
	    (len - start == 2 && strncmp(path + start, "..", 2) == 0))
		return NULL;
	return strndup(path + start, len - start);
}

/* ---- the host ---- */

static int open_host_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* one may be allowed to write and search but not to read */
	if (fd < 0 && errno == EACCES)
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory becomes the view, and the place. */
static int host_dir(struct copy_end *end, const char *path)
{
	int fd = open_host_dir(path), r;

	if (fd < 0)
		return fd;
	r = view_add(&end->own, fd);
	return r < 0 ? r : view_root(&end->own, 0, &end->at.dir);
}

/* The directory part of path ("." where it has none), and what is behind it. */
static int split(const char *path, char **ret_dir, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	*ret_dir = slash ? strndup(path, (size_t)(slash - path + (slash == path))) : strdup(".");
	return *ret_dir ? 0 : -ENOMEM;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int host_name(struct copy_end *end, const char *path)
{
	_cleanup_free_ char *dir = NULL;
	const char *name;
	int r = split(path, &dir, &name);

	if (r < 0)
		return r;
	r = host_dir(end, dir);
	if (r < 0)
		return r;
	end->at.name = strdup(name);
	end->at.path = strdup(path);
	if (!end->at.name || !end->at.path)
		return -ENOMEM;
	r = view_lookup(&end->at.dir, name, &end->at.node);
	end->at.exists = r == 0;
	return r == -ENOENT ? 0 : r;
}

static int resolve_host(struct copy_end *end, const char *typed, bool follow)
{
	_cleanup_free_ char *path = NULL;
	int r;

	end->at.slash = ends_in(typed, "") || ends_in(typed, ".") || ends_in(typed, "..");
	if (end->at.slash && is_dir(typed)) {
		end->at.exists = true;
		end->at.path = strdup(typed);
		return end->at.path ? host_dir(end, typed) : -ENOMEM;
	}
	if (ends_in(typed, ".") || ends_in(typed, ".."))
		return errno == ENOTDIR ? -ENOTDIR : -ENOENT;
	path = strndup(typed, without_slashes(typed, strlen(typed)));
	if (!path)
		return -ENOMEM;
	if (follow || end->at.slash) {
		char *real;

		r = insp_follow(path, &real);
		if (r < 0)
			return r;
		free(path);
		path = real;
	}
	r = host_name(end, path);
	if (r == 0 && end->at.slash && end->at.exists)
		return -ENOTDIR;
	return r;
}

/* ---- both ---- */

static int open_end(const struct insp_copy_side *side, const struct view *view, bool follow,
		    struct copy_end *end)
{
	const char *last;

	end->contents = ends_in(side->path, ".");
	if (side->files) {
		int r = volumes_resolve(view, &end->volumes, side->path, follow ? PATH_FOLLOW : 0,
					&end->at);

		if (r < 0)
			return r;
	} else {
		int r = resolve_host(end, side->path, follow);

		if (r < 0)
			return r;
	}
	end->view = end->at.dir.view;
	end->base = typed_name(side->path);
	if (end->base)
		return 0;
	if (!side->files) {
		_cleanup_free_ char *real = realpath(side->path, NULL);

		end->base = real ? typed_name(real) : NULL;
		return 0;
	}
	last = strrchr(end->at.path, '/');
	end->base = last && last[1] ? strdup(last + 1) : NULL;
	return 0;
}

static int label_of(const struct insp_copy_side *side, struct copy_end *end)
{
	end->label = side->files ? str_format("%s:%s", side->files->container->name, side->path)
				 : strdup(side->path);
	return end->label ? 0 : -ENOMEM;
}

int copy_end_source(const struct insp_copy_side *side, bool follow, struct copy_end *end,
		    struct insp_err *err)
{
	int r = label_of(side, end);

	if (r == 0 && side->files)
		r = volumes_open(side->files, false, &end->volumes);
	if (r == 0)
		r = open_end(side, side->files ? &side->files->view : NULL, follow, end);
	if (r == 0 && !end->at.exists)
		r = -ENOENT;
	return r < 0 ? insp_err_set(err, r, "copy '%s'", end->label ? end->label : side->path) : 0;
}

/* Whether it is an overlay whose upper directory is that one. */
static bool is_upper_of(const struct insp_files *files, const struct mount_entry *m,
			const struct stat *own)
{
	_cleanup_free_ char *upper = NULL;
	_cleanup_close_ int fd = -EBADF;
	char **lowers = NULL;
	size_t n = 0;
	struct stat st;

	if (strcmp(m->fstype, "overlay") != 0 || mountinfo_overlay(m, &lowers, &n, &upper) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		free(lowers[i]);
	free(lowers);
	fd = upper && *upper == '/' ? sys_open_dir(files->sys, upper) : -EBADF;
	return fd >= 0 && fstat(fd, &st) == 0 && io_same_inode(&st, own);
}

/*
 * A container that does not run may still be mounted (podman mount; what a dead engine left): below a mounted overlay its
 * layers are not to be changed, through it they may. Only root's engines, whose mounts are nobody else's. -ENOENT: it is not.
 */
static int open_mounted(const struct insp_files *files)
{
	_cleanup_mount_table_ struct mount_table table = { 0 };
	const struct insp_container *c = files->container;
	struct stat own;

	if (files->view.n < 2 || c->owner != 0 || !files->sys->live ||
	    fstat(files->view.layers[0].fd, &own) < 0 ||
	    mountinfo_read(files->sys, 0, &table, NULL) < 0)
		return -ENOENT;
	for (size_t i = 0; i < table.n; i++) {
		int fd = is_upper_of(files, &table.items[i], &own)
				 ? sys_open_dir(files->sys, table.items[i].target)
				 : -ENOENT;

		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

static int add_lower(const struct view_layer *layer, struct view *v)
{
	int fd = fcntl(layer->fd, F_DUPFD_CLOEXEC, 3);
	int r = fd < 0 ? -errno : view_add(v, fd);

	if (r < 0)
		return r;
	v->layers[v->n - 1].sealed = layer->sealed;
	v->layers[v->n - 1].ids = layer->ids;
	v->layers[v->n - 1].rights = layer->rights;
	return 0;
}

/* The files' view with an uppermost layer that can be written to, which a sealed one cannot. */
static int writable(struct insp_files *files, struct view *ret, struct insp_err *err)
{
	const struct insp_container *c = files->container;
	bool live = files->from == INSP_FILES_LIVE;
	int mounted = live ? -ENOENT : open_mounted(files);
	int fd = mounted >= 0 ? mounted
		 : live	      ? fcntl(files->view.layers[0].fd, F_DUPFD_CLOEXEC, 3)
			      : rootfs_open_own(files->sys, c, c->layers->upper, err);
	int r = fd < 0 ? fd : view_add(ret, fd);

	if (r < 0)
		return r;
	ret->layers[0].ids = files->view.layers[0].ids;
	ret->layers[0].rights = files->view.layers[0].rights;
	if (mounted >= 0)
		return 0;
	ret->marks = files->view.marks;
	for (size_t i = 1; i < files->view.n && r == 0; i++)
		r = add_lower(&files->view.layers[i], ret);
	return r;
}

int copy_end_destination(const struct insp_copy_side *side, struct copy_end *end,
			 struct insp_err *err)
{
	const struct volume *volume;
	int r = label_of(side, end);

	if (r == 0 && side->files && side->files->from == INSP_FILES_IMAGE)
		r = -EROFS;
	if (r == 0 && side->files) {
		r = writable(side->files, &end->own, err);
		if (r < 0 && err && err->code)
			return r;
	}
	if (r == 0 && side->files)
		r = volumes_open(side->files, true, &end->volumes);
	if (r == 0)
		r = open_end(side, &end->own, true, end);
	volume = r == 0 ? volumes_of(&end->volumes, &end->at.dir) : NULL;
	if (volume && volume->mount->read_only)
		r = -EROFS;
	return r < 0 ? insp_err_set(err, r, "copy to '%s'", end->label ? end->label : side->path)
		     : 0;
}

bool copy_end_is_dir(const struct copy_end *end)
{
	return end->at.exists && (!end->at.name || S_ISDIR(end->at.node.st.st_mode));
}

int copy_end_enter(const struct copy_end *end, struct view_dir *ret)
{
	return end->at.name ? view_enter(&end->at.dir, end->at.name, &end->at.node, ret)
			    : view_dir_again(&end->at.dir, ret);
}

/* One directory further down. */
static int step(struct copy_into **into, const char *name, size_t len)
{
	char own[NAME_MAX + 1];
	struct view_node node;
	struct copy_into *next;
	int r;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(own, name, len);
	own[len] = '\0';
	r = copy_into_lookup(*into, own, &node);
	if (r == 0)
		r = copy_into_enter(*into, own, &node, &next);
	if (r == 0)
		*into = next;
	return r;
}

/* From the root of the view down to the directory that the path is in. */
static int chain(const struct copy_end *end, struct copy_into **ret)
{
	const char *p = end->at.path, *last = end->at.name ? strrchr(p, '/') : p + strlen(p);
	struct view_dir root;
	struct copy_into *into;
	int r = view_root(end->view, 0, &root);

	if (r < 0)
		return r;
	into = copy_into_new(NULL, &root, NULL);
	r = into ? 0 : -ENOMEM;
	while (r == 0 && (p += strspn(p, "/")) < last) {
		size_t n = strcspn(p, "/");

		r = step(&into, p, n);
		p += n;
	}
	if (r < 0) {
		copy_chain_free(into);
		return r;
	}
	*ret = into;
	return 0;
}

int copy_end_into(struct copy_end *end, struct copy_into **ret)
{
	struct view_dir dir;
	int r;

	if (end->view->n > 1)
		return chain(end, ret);
	r = view_dir_again(&end->at.dir, &dir);
	if (r < 0)
		return r;
	*ret = copy_into_new(NULL, &dir, NULL);
	return *ret ? 0 : -ENOMEM;
}
