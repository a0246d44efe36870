#include "libinspect/rootfs/view.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/marks.h"

#include <limits.h>

/*
 * How many directories are entered to find one that is redirected: each on the way may be so itself, in each layer, and an image
 * brings its attributes along (docker unpacks trusted.*).
 */
#define REDIRECTED_MAX 4096

int view_add(struct view *v, int fd)
{
	struct view_layer *bigger = reallocarray(v->layers, v->n + 1, sizeof(*bigger));

	if (!bigger) {
		util_close(fd);
		return -ENOMEM;
	}
	v->layers = bigger;
	v->layers[v->n++] = (struct view_layer){ .fd = fd };
	return 0;
}

void view_close(struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		util_close(v->layers[i].fd);
	free(v->layers);
	*v = (struct view){ 0 };
}

void view_dir_close(struct view_dir *dir)
{
	for (size_t i = 0; i < dir->n; i++)
		util_close(dir->parts[i].fd);
	free(dir->parts);
	*dir = (struct view_dir){ 0 };
}

/* Takes ownership of fd, also on failure. */
static int add_part(struct view_dir *dir, int fd, unsigned layer)
{
	/* grows by one: a directory that many layers have is rare */
	struct view_part *bigger = reallocarray(dir->parts, dir->n + 1, sizeof(*bigger));

	if (!bigger) {
		util_close(fd);
		return -ENOMEM;
	}
	dir->parts = bigger;
	dir->parts[dir->n++] = (struct view_part){ .fd = fd, .layer = layer };
	return 0;
}

static int open_dir(const struct view_layer *layer, int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = view_openat(layer, dirfd, name, flags | (layer->sealed ? 0 : O_NOATIME));

	/* somebody else's directory: the access time cannot be spared */
	if (fd == -EPERM && !layer->sealed)
		fd = view_openat(layer, dirfd, name, flags);
	if (fd >= 0 && rights_fd(layer->rights, fd, RIGHTS_SEARCH) < 0) {
		util_close(fd);
		return -EACCES;
	}
	return fd;
}

int view_root(const struct view *v, size_t first, struct view_dir *ret)
{
	_cleanup_view_dir_ struct view_dir dir = { .view = v };

	for (size_t i = first; i < v->n; i++) {
		int fd = open_dir(&v->layers[i], v->layers[i].fd, ".");
		int r = fd < 0 ? fd : add_part(&dir, fd, (unsigned)i);
		enum marks_opaque opaque;

		if (r < 0)
			return r;
		if (v->n == 1 || !v->marks)
			continue;
		opaque = marks_opaque(v->marks, fd);
		dir.xwhiteouts |= opaque == MARKS_XWHITEOUTS;
		/* the kernel merges the root of a layer whatever it says; fuse-overlayfs does not */
		if (opaque == MARKS_OPAQUE && (v->marks & VIEW_FUSE))
			break;
	}
	if (dir.n == 0)
		return -ENOENT;
	*ret = dir;
	dir = (struct view_dir){ 0 };
	return 0;
}

int view_dir_again(const struct view_dir *dir, struct view_dir *ret)
{
	_cleanup_view_dir_ struct view_dir d = { .view = dir->view, .xwhiteouts = dir->xwhiteouts };

	for (size_t i = 0; i < dir->n; i++) {
		const struct view_part *p = &dir->parts[i];
		int fd = open_dir(&dir->view->layers[p->layer], p->fd, ".");
		int r = fd < 0 ? fd : add_part(&d, fd, p->layer);

		if (r < 0)
			return r;
	}
	*ret = d;
	d = (struct view_dir){ 0 };
	return 0;
}

/* Whether what was found is there for its layer only. */
static bool is_mark(const struct view_dir *dir, const char *name, const struct view_node *node)
{
	unsigned marks = dir->view->marks;

	return marks && (marks_is_whiteout(marks, &node->st) || marks_is_own(marks, name) ||
			 marks_is_xwhiteout(marks, dir->parts[node->part].fd, name, &node->st));
}

#define NOBODY \
	65534 /* /proc/sys/kernel/overflowuid: what the container sees where an id is not its */

static uint32_t inside(const struct idmap *m, uint32_t id)
{
	uint32_t r = idmap_to_inside(m, id);

	return r == UINT32_MAX ? NOBODY : r;
}

void view_ids_inside(const struct view_dir *dir, size_t part, struct stat *st)
{
	const struct view_ids *ids = dir->view->layers[dir->parts[part].layer].ids;

	if (ids) {
		st->st_uid = inside(&ids->uids, st->st_uid);
		st->st_gid = inside(&ids->gids, st->st_gid);
	}
}

static int stat_part(const struct view_dir *dir, size_t part, const char *name, struct stat *st)
{
	if (fstatat(dir->parts[part].fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	view_ids_inside(dir, part, st);
	return 0;
}

int view_lookup(const struct view_dir *dir, const char *name, struct view_node *ret)
{
	unsigned marks = dir->view->marks;

	for (size_t part = 0; part < dir->n; part++) {
		int r;

		if (marks_is_deleted_by_name(marks, dir->parts[part].fd, name))
			return -ENOENT;
		r = stat_part(dir, part, name, &ret->st);
		if (r == 0) {
			ret->part = (unsigned)part;
			return is_mark(dir, name, ret) ? -ENOENT : 0;
		}
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

int view_stat(const struct view_dir *dir, const struct view_name *name, struct view_node *ret)
{
	int r = stat_part(dir, name->part, name->name, &ret->st);

	ret->part = name->part;
	return r < 0 ? r : is_mark(dir, name->name, ret) ? -ENOENT : 0;
}

static int enter(const struct view_dir *dir, const char *name, const struct view_node *node,
		 unsigned *steps, struct view_dir *ret);

/* view_enter_parent(); *steps: how many directories may still be entered where redirects lead. */
static int enter_parent(const struct view *v, size_t first, const char *path, unsigned *steps,
			struct view_dir *ret, const char **ret_name)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	int r = first < v->n ? view_root(v, first, &dir) : -ENOENT;

	while (r == 0) {
		struct view_dir next = { 0 };
		struct view_node node;
		char name[NAME_MAX + 1];
		size_t n = strcspn(++path, "/");

		if (path[n] == '\0')
			break;
		if (*steps == 0) {
			r = -ELOOP;
			break;
		}
		(*steps)--;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		r = view_lookup(&dir, name, &node);
		if (r == 0)
			r = enter(&dir, name, &node, steps, &next);
		view_dir_close(&dir);
		dir = next;
	}
	if (r < 0)
		return r;
	*ret_name = path;
	*ret = dir;
	dir = (struct view_dir){ 0 };
	return 0;
}

int view_enter_parent(const struct view *v, size_t first, const char *path, struct view_dir *ret,
		      const char **ret_name)
{
	unsigned steps = REDIRECTED_MAX;

	return enter_parent(v, first, path, &steps, ret, ret_name);
}

/* The merged directory at path itself. */
static int enter_path(const struct view *v, size_t first, const char *path, unsigned *steps,
		      struct view_dir *ret)
{
	_cleanup_view_dir_ struct view_dir parent = { 0 };
	struct view_node node;
	const char *name;
	int r = enter_parent(v, first, path, steps, &parent, &name);

	if (r == 0)
		r = view_lookup(&parent, name, &node);
	return r < 0 ? r : enter(&parent, name, &node, steps, ret);
}

/* Moves the parts of more behind those of dir. */
static int append_parts(struct view_dir *dir, struct view_dir *more)
{
	int r = 0;

	for (size_t i = 0; i < more->n && r == 0; i++)
		r = add_part(dir, TAKE_FD(more->parts[i].fd), more->parts[i].layer);
	dir->xwhiteouts |= more->xwhiteouts;
	view_dir_close(more);
	return r;
}

/*
 * What the part that was just opened says about those below it. 1: nothing below counts. *wanted: the name that is
 * looked for further down, held by *held.
 */
static int look_below(struct view_dir *dir, unsigned *steps, char **held, const char **wanted)
{
	const struct view *v = dir->view;
	const struct view_part *part = &dir->parts[dir->n - 1];
	struct view_dir more = { 0 };
	char *redirect;
	int r;

	if (!v->marks || part->layer + 1 >= v->n)
		return 1;
	switch (marks_opaque(v->marks, part->fd)) {
	case MARKS_OPAQUE: return 1;
	case MARKS_XWHITEOUTS: dir->xwhiteouts = true; break;
	default: break;
	}
	r = marks_redirect(v->marks, part->fd, &redirect);
	if (r < 0 || !redirect)
		return r == -EBADMSG
			       ? 1
			       : r; /* overlay itself refuses such a one: nothing is merged in */
	free(*held);
	*wanted = *held = redirect;
	if (redirect[0] != '/')
		return 0;
	r = enter_path(v, part->layer + 1, redirect, steps, &more);
	if (r == -ENOENT || r == -ENOTDIR)
		return 1;
	return r < 0 || (r = append_parts(dir, &more)) < 0 ? r : 1;
}

static int enter(const struct view_dir *dir, const char *name, const struct view_node *node,
		 unsigned *steps, struct view_dir *ret)
{
	_cleanup_view_dir_ struct view_dir d = { .view = dir->view };
	_cleanup_free_ char *held = NULL;

	for (size_t p = node->part; p < dir->n; p++) {
		const struct view_part *from = &dir->parts[p];
		int fd, r;

		if (p > node->part && marks_is_deleted_by_name(dir->view->marks, from->fd, name))
			break;
		fd = open_dir(&dir->view->layers[from->layer], from->fd, name);

		if (fd == -ENOENT && p > node->part)
			continue;
		/* a file, a link or a whiteout: what is below it does not count */
		if ((fd == -ENOTDIR || fd == -ELOOP) && p > node->part)
			break;
		if (fd < 0)
			return fd == -ELOOP ? -ENOTDIR : fd;
		r = add_part(&d, fd, from->layer);
		if (r == 0)
			r = look_below(&d, steps, &held, &name);
		if (r < 0)
			return r;
		if (r > 0)
			break;
	}
	*ret = d;
	d = (struct view_dir){ 0 };
	return 0;
}

int view_enter(const struct view_dir *dir, const char *name, const struct view_node *node,
	       struct view_dir *ret)
{
	unsigned steps = REDIRECTED_MAX;

	return enter(dir, name, node, &steps, ret);
}
