/*
 * From a container's record to opened layers.
 *
 * A record in a user's store is that user's word. Its layers are taken only where they lie below the store, the store is a
 * directory of that user, and no link is followed on the way: else a user could have root read, or with a copy write,
 * any directory of the host as "a layer".
 */
#include "libinspect/rootfs/rootfs.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/sealedtree.h"
#include "libinspect/resolve/hostpath.h"

#include <limits.h>

/* Whose word the record is: nobody's but root's (or, on a disk that is only looked at, the looking user's). */
static bool is_users(const struct insp_container *c)
{
	return c->owner != 0;
}

static int open_dir_no_links(int dirfd, const char *path)
{
	_cleanup_close_ int fd = io_open_no_links(dirfd, path);

	return fd < 0 ? fd : io_open_dir(fd, ".");
}

/* The directory of a user's store, which must be the user's. */
static int open_users_store(struct insp_sys *sys, const struct insp_container *c, const char *store)
{
	struct hostpaths paths = { .sys = sys };
	_cleanup_free_ char *canonical = hostpath_canonical(&paths, store);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	hostpaths_clear(&paths);
	if (!canonical)
		return -ENOMEM;
	fd = open_dir_no_links(sys->rootfd, canonical);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == c->owner ? TAKE_FD(fd) : -EPERM;
}

static int open_users(struct insp_sys *sys, const struct insp_container *c, const char *path)
{
	_cleanup_free_ char *store = c->store ? hostpath_tidy(c->store) : NULL;
	_cleanup_free_ char *tidy = hostpath_tidy(path);
	_cleanup_close_ int fd = -EBADF;

	if (!tidy)
		return -ENOMEM;
	if (!store || !str_path_is_below(tidy, store))
		return -EPERM;
	fd = open_users_store(sys, c, store);
	return fd < 0 ? fd : open_dir_no_links(fd, tidy + strlen(store));
}

int rootfs_open_own(struct insp_sys *sys, const struct insp_container *c, const char *path,
		    struct insp_err *err)
{
	int fd = is_users(c) ? open_users(sys, c, path) : sys_open_dir(sys, path);
	const char *kind = c->is_image ? "image" : "container";

	if (fd == -EPERM && is_users(c)) {
		insp_err_say(err, fd, "%s %s %s: '%s' is not in its user's store", c->engine, kind,
			     c->name, path);
		insp_err_hint(err, "a user's record is believed about that user's own store only");
		return fd;
	}
	if (fd >= 0)
		return fd;
	insp_err_set(err, fd, "%s %s %s: open layer '%s'", c->engine, kind, c->name, path);
	if (fd == -EACCES)
		insp_err_hint(err, "the layers are root's, or another user's: run this as root");
	return fd;
}

/* path as the next layer of v, sealed where that can be had. */
static int add_layer(struct insp_files *f, struct view *v, const char *path, struct insp_err *err)
{
	int fd = rootfs_open_own(f->sys, f->container, path, err), sealed, r;

	if (fd < 0)
		return fd;
	sealed = sealedtree_open(fd);
	if (sealed >= 0) {
		util_close(fd);
		fd = sealed;
	}
	r = view_add(v, fd);
	if (r < 0)
		return insp_err_set(err, r, "%s container %s", f->container->engine,
				    f->container->name);
	v->layers[v->n - 1].sealed = sealed >= 0;
	return 0;
}

static unsigned marks_of(const struct insp_container *c)
{
	switch (c->layers->kind) {
	case INSP_ROOT_OVERLAY:
		/* overlay of a user's own mount namespace has "userxattr": trusted.* is not its to set */
		return VIEW_DEVICE | (is_users(c) ? VIEW_USER : VIEW_TRUSTED);
	case INSP_ROOT_FUSE_OVERLAY: return VIEW_DEVICE | VIEW_TRUSTED | VIEW_USER | VIEW_FUSE;
	default: return 0;
	}
}

static int unknown(const struct insp_container *c, struct insp_err *err)
{
	insp_err_say(err, -ENODATA, "%s container %s: where its files are is not known%s%s",
		     c->engine, c->name, c->no_layers ? ": " : "",
		     c->no_layers ? c->no_layers : "");
	if (c->no_layers && geteuid() != 0)
		insp_err_hint(err, "what could not be read may be root's: run this as root");
	if (c->guest)
		insp_err_hint(err, "what it changes only its own kernel knows (%s)", c->guest);
	return -ENODATA;
}

static int open_stack(struct insp_files *f, struct insp_err *err)
{
	const struct insp_layers *l = f->container->layers;
	bool image = f->from == INSP_FILES_IMAGE;
	int r = image ? 0 : add_layer(f, &f->view, l->upper, err);

	f->n_upper = image ? 0 : 1;
	f->n_engine = image ? 0 : MIN_OF(l->n_engine, l->n_lowers);
	for (size_t i = image ? l->n_engine : 0; i < l->n_lowers && r == 0; i++)
		r = add_layer(f, &f->view, l->lowers[i], err);
	return r;
}

static int open_tree(struct insp_files *f, struct insp_err *err)
{
	const struct insp_layers *l = f->container->layers;
	const char *tree = f->from != INSP_FILES_IMAGE ? l->upper
			   : l->n_lowers	       ? l->lowers[0]
						       : NULL;
	int r;

	if (!tree) {
		insp_err_say(err, -ENODATA,
			     "%s container %s: the tree that it began as is not kept",
			     f->container->engine, f->container->name);
		return -ENODATA;
	}
	r = add_layer(f, &f->view, tree, err);
	if (r == 0 && f->from == INSP_FILES_LAYERS && l->n_lowers > 0)
		r = add_layer(f, &f->base, l->lowers[0], err);
	return r;
}

static int open_layers(struct insp_files *f, struct insp_err *err)
{
	const struct insp_container *c = f->container;

	if (!c->layers || c->layers->kind == INSP_ROOT_UNKNOWN ||
	    (f->from != INSP_FILES_IMAGE &&
	     (!c->layers->upper || (c->guest_overlay && c->pid > 0))))
		return unknown(c, err);
	f->view.marks = marks_of(c);
	return c->layers->kind == INSP_ROOT_DIR ? open_tree(f, err) : open_stack(f, err);
}

static int open_live(struct insp_files *f, struct insp_err *err)
{
	const struct insp_container *c = f->container;
	struct insp_pid *init = NULL;
	int root = -EBADF, fd, r;

	r = insp_container_on_host(c, err);
	if (r == 0)
		r = insp_container_init(f->sys, c, &init, err);
	if (r == 0)
		r = insp_pid_open_root(init, &root, err);
	insp_pid_close(init);
	if (r < 0)
		return r;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : view_add(&f->view, fd);
	util_close(root);
	return r < 0 ? insp_err_set(err, r, "%s container %s: open its root", c->engine, c->name)
		     : 0;
}

int insp_files_open(struct insp_sys *sys, const struct insp_container *c, enum insp_files_from from,
		    struct insp_files **ret_files, struct insp_err *err)
{
	struct insp_files *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return insp_err_set(err, -ENOMEM, "%s container %s", c->engine, c->name);
	*f = (struct insp_files){ .sys = sys, .container = c, .from = from };
	r = from == INSP_FILES_LIVE ? open_live(f, err) : open_layers(f, err);
	if (r == 0)
		r = rootfs_set_ids(f, err);
	if (r < 0) {
		insp_files_close(f);
		return r;
	}
	*ret_files = f;
	return 0;
}

struct insp_files *insp_files_close(struct insp_files *files)
{
	if (files) {
		view_close(&files->view);
		view_close(&files->base);
		free(files->ids);
		free(files);
	}
	return NULL;
}
