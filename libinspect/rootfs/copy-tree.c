/* Each file of a tree. Of a stopped container what is mounted over its layers is part of it, at either end. */
#include "libinspect/rootfs/copy-end.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define DIAGS_MAX 100

static int push_level(struct copy_tree *t, struct copy_into *into)
{
	if (!util_grow(&t->levels, t->n, &t->cap, sizeof(*t->levels), 16))
		return -ENOMEM;
	t->levels[t->n++] = into;
	return 0;
}

/* levels[0] is the caller's. */
static void pop_level(struct copy_tree *t)
{
	if (--t->n > 0)
		copy_into_free(t->levels[t->n]);
}

/* A tree's label without the slash, or slash and dot, behind which its paths begin. */
static int label_len(const char *label)
{
	size_t len = strlen(label);

	if (len > 1 && label[len - 1] == '.' && label[len - 2] == '/')
		len--;
	while (len > 0 && label[len - 1] == '/')
		len--;
	return (int)len;
}

/* Says what went wrong with one file. 0: the rest may go on. */
static int fail(struct copy_tree *t, const char *path, int error)
{
	struct insp_err err = { 0 };

	copy_err_set(&err, error, "copy '%.*s%s' to '%s'", label_len(t->src->label), t->src->label,
		     path, t->dst->label);
	t->c->result->failed++;
	if (copy_is_final(error)) {
		if (t->err)
			*t->err = err;
		return error;
	}
	if (t->diags && t->diags->n < DIAGS_MAX)
		insp_diags_add(t->diags, &err);
	return 0;
}

/* A directory that could be made but not read has no leave(): it stays, as far as it got. */
static int settle(struct copy_tree *t, size_t depth)
{
	int r = 0;

	while (r == 0 && t->n > depth + 1) {
		r = copy_into_place(t->levels[t->n - 1]);
		pop_level(t);
	}
	return r;
}

/* The volume of end at base with path behind it (both absolute); NULL: none. */
static const struct volume *volume_at(const struct copy_end *end, const char *base,
				      const char *path)
{
	_cleanup_free_ char *all = NULL;

	if (end->volumes.n == 0)
		return NULL;
	all = str_format("%s%s", strcmp(base, "/") == 0 ? "" : base, path);
	return all ? volumes_at(&end->volumes, all) : NULL;
}

int copy_volume_enter(const struct copy_end *end, const char *base, const char *path,
		      struct copy_into *into, const char *name, struct copy_into **ret)
{
	const struct volume *v = volume_at(end, base, path);
	struct view_dir dir;
	int r;

	if (!v)
		return 0;
	if (v->error || v->name || v->mount->read_only)
		return v->error ? v->error : v->name ? -EBUSY : -EROFS;
	r = view_root(&v->view, 0, &dir);
	if (r < 0)
		return r;
	*ret = copy_into_new(into, &dir, name);
	return *ret ? 1 : -ENOMEM;
}

/* The directory that f, one, is copied to: there, made, or mounted. */
static int into_of(struct copy_tree *t, const struct walk_file *f, struct copy_into *into,
		   struct copy_into **ret)
{
	struct view_node there;
	int r = copy_volume_enter(t->dst, t->to, f->path, into, f->name, ret);

	if (r != 0)
		return r < 0 ? r : 0;
	r = copy_into_lookup(into, f->name, &there);
	if (r == -ENOENT)
		return copy_into_mkdir(into, f->name, ret);
	if (r < 0)
		return r;
	return S_ISDIR(there.st.st_mode) ? copy_into_enter(into, f->name, &there, ret) : -ENOTDIR;
}

static int enter_dir(struct copy_tree *t, const struct walk_file *f, struct copy_into *into)
{
	struct copy_into *next;
	int r;

	if (f->node->st.st_ino == t->c->made_ino && f->node->st.st_dev == t->c->made_dev)
		return WALK_SKIP;
	r = into_of(t, f, into, &next);
	if (r == 0) {
		r = push_level(t, next);
		if (r < 0)
			copy_into_free(next);
		return r;
	}
	r = fail(t, f->path, r);
	return r < 0 ? r : WALK_SKIP;
}

static int copy_one(struct copy_tree *t, const struct walk_file *f, const struct copy_from *from)
{
	struct copy_into *into = t->levels[t->below + f->depth - 1];
	int r = volume_at(t->dst, t->to, f->path)
			? -EBUSY
			: copy_node(t->c, from, into, copy_into_fd(t->levels[0]), f->name,
				    f->path + 1);

	return r < 0 ? fail(t, f->path, r) : 0;
}

static int walk_from(struct copy_tree *t, const struct view_dir *dir, const char *path);
static int leave(const struct walk_file *f, void *arg);

/* A directory of the source, on which a volume is mounted. */
static int copy_volume(struct copy_tree *t, const struct walk_file *f, const struct volume *v)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	size_t below = t->below;
	int r;

	if (v->error && v->error != -ENODATA)
		return fail(t, f->path, v->error);
	r = enter_dir(t, f, t->levels[t->below + f->depth - 1]);
	if (r != 0)
		return r < 0 ? r : 0;
	if (v->error) /* a tmpfs: it is empty */
		return leave(f, t);
	r = view_root(&v->view, 0, &dir);
	if (r < 0)
		return fail(t, f->path, r);
	t->below += f->depth;
	r = walk_from(t, &dir, f->path);
	t->below = below;
	return r;
}

/* The same of a single file. */
static int copy_volume_file(struct copy_tree *t, const struct walk_file *f, const struct volume *v)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct view_node node;
	int r = v->error ? v->error : view_root(&v->view, 0, &dir);

	if (r == 0)
		r = view_lookup(&dir, v->name, &node);
	if (r < 0)
		return fail(t, f->path, r);
	return copy_one(t, f, &(struct copy_from){ &dir, v->name, &node });
}

static int enter(const struct walk_file *f, void *arg)
{
	struct copy_tree *t = arg;
	struct copy_from from = { .dir = f->dir, .name = f->name, .node = f->node };
	const struct volume *v;
	int r = copy_stopped(t->c);

	if (r < 0)
		return fail(t, f->path, r);
	if (f->depth == 0)
		return 0;
	r = settle(t, t->below + f->depth - 1);
	if (r < 0)
		return fail(t, f->path, r);
	v = volume_at(t->src, t->src->at.path, f->path);
	if (v && S_ISDIR(f->node->st.st_mode)) {
		r = v->name ? copy_volume_file(t, f, v) : copy_volume(t, f, v);
		return r < 0 ? r : WALK_SKIP;
	}
	if (v)
		return copy_volume_file(t, f, v);
	if (S_ISDIR(f->node->st.st_mode))
		return enter_dir(t, f, t->levels[t->below + f->depth - 1]);
	return copy_one(t, f, &from);
}

static int leave(const struct walk_file *f, void *arg)
{
	struct copy_tree *t = arg;
	struct copy_from from = { .dir = f->dir, .name = f->name, .node = f->node };
	size_t depth = t->below + f->depth;
	int r = settle(t, depth);

	if (r == 0 && (depth > 0 || t->name))
		r = copy_dir_attrs(t->c, &from, t->levels[depth]);
	if (r < 0)
		r = fail(t, f->path, r);
	if (r == 0 && (r = copy_into_place(t->levels[depth])) < 0)
		r = fail(t, f->path, r);
	if (depth > 0)
		pop_level(t);
	t->c->result->files++;
	return r;
}

static int failed(const char *path, int error, void *arg)
{
	return fail(arg, path, error);
}

static int walk_from(struct copy_tree *t, const struct view_dir *dir, const char *path)
{
	struct walk walk = { .enter = enter, .leave = leave, .failed = failed, .arg = t };

	return walk_tree(dir, path, &walk);
}

int copy_tree(struct copy_tree *t, const struct view_dir *dir, struct copy_into *into)
{
	int r = push_level(t, into);

	if (r == 0)
		r = walk_from(t, dir, "/");
	while (t->n > 0)
		pop_level(t);
	free(t->levels);
	return r;
}
