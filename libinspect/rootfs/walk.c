#include "libinspect/rootfs/walk.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <dirent.h>

/* A directory that we are in. */
struct level {
	struct view_dir dir;
	struct view_list list;
	size_t next; /* of list */
	struct view_node node;
	size_t path_len; /* of its own path */
};

struct state {
	const struct walk *walk;
	struct level *levels;
	size_t n, cap;
	struct strbuf path;
};

static void cut_path(struct state *s, size_t len)
{
	s->path.len = len;
	s->path.buf[len] = '\0';
}

static void pop(struct state *s)
{
	struct level *l = &s->levels[--s->n];

	view_dir_close(&l->dir);
	view_list_clear(&l->list);
}

static void state_clear(struct state *s)
{
	while (s->n > 0)
		pop(s);
	free(s->levels);
	strbuf_free(&s->path);
}

/* Takes ownership of dir, also on failure. */
static int push(struct state *s, struct view_dir dir, const struct view_node *node)
{
	struct level *l;
	int r;

	if (!util_grow(&s->levels, s->n, &s->cap, sizeof(*s->levels), 16)) {
		view_dir_close(&dir);
		return -ENOMEM;
	}
	l = &s->levels[s->n];
	*l = (struct level){ .dir = dir, .node = *node, .path_len = s->path.len };
	r = view_list(&l->dir, l->dir.n, 0, &l->list);
	if (r < 0)
		view_dir_close(&l->dir);
	else
		s->n++;
	return r;
}

static bool is_ancestor(const struct state *s, const struct stat *st)
{
	for (size_t i = 0; i < s->n; i++)
		if (io_same_inode(&s->levels[i].node.st, st))
			return true;
	return false;
}

static int fail(struct state *s, int error)
{
	return error == -ENOENT ? 0 : s->walk->failed(s->path.buf, error, s->walk->arg);
}

static int enter_dir(struct state *s, const struct level *in, const char *name,
		     const struct view_node *node)
{
	struct view_dir dir;
	int r;

	if (is_ancestor(s, &node->st))
		return fail(s, -ELOOP);
	r = view_enter(&in->dir, name, node, &dir);
	if (r == 0)
		r = push(s, dir, node);
	return r < 0 ? fail(s, r) : 0;
}

/* One name of the innermost directory. */
static int visit(struct state *s)
{
	struct level *l = &s->levels[s->n - 1];
	const struct view_name *name = &l->list.items[l->next++];
	struct view_node node;
	struct walk_file f = {
		.name = name->name, .dir = &l->dir, .node = &node, .depth = (unsigned)s->n
	};
	int r;

	cut_path(s, l->path_len);
	if (l->path_len == 0 || s->path.buf[l->path_len - 1] != '/')
		strbuf_puts(&s->path, "/");
	strbuf_puts(&s->path, name->name);
	if (s->path.failed)
		return -ENOMEM;
	r = view_stat(&l->dir, name, &node);
	if (r < 0)
		return fail(s, r);
	f.path = s->path.buf;
	r = s->walk->enter(&f, s->walk->arg);
	if (r != 0 || !S_ISDIR(node.st.st_mode))
		return r < 0 ? r : 0;
	return enter_dir(s, l, name->name, &node);
}

/* Whether the innermost directory has a name that was not visited; < 0: failed() says so. */
static int has_next(struct state *s)
{
	struct level *l = &s->levels[s->n - 1];
	int r;

	if (l->next < l->list.n)
		return 1;
	r = view_list_more(&l->dir, l->dir.n, 0, &l->list);
	if (r > 0)
		l->next = 0;
	if (r >= 0)
		return r;
	cut_path(s, l->path_len);
	return fail(s, r);
}

/* The innermost directory is done. */
static int leave(struct state *s)
{
	struct level *l = &s->levels[s->n - 1], *parent = s->n > 1 ? l - 1 : NULL;
	struct walk_file f = {
		.name = parent ? parent->list.items[parent->next - 1].name : ".",
		.dir = parent ? &parent->dir : &l->dir,
		.node = &l->node,
		.depth = (unsigned)s->n - 1,
	};
	int r;

	cut_path(s, l->path_len);
	f.path = s->path.buf;
	r = s->walk->leave ? s->walk->leave(&f, s->walk->arg) : 0;
	pop(s);
	return r;
}

int walk_tree(const struct view_dir *dir, const char *path, const struct walk *walk)
{
	struct state s = { .walk = walk };
	struct view_node node;
	struct walk_file f = { .path = path, .name = ".", .dir = dir, .node = &node };
	struct view_dir own;
	int r;

	r = view_lookup(dir, ".", &node);
	if (r == 0)
		r = view_dir_again(dir, &own);
	if (r < 0)
		return r;
	strbuf_puts(&s.path, path);
	r = s.path.failed ? -ENOMEM : walk->enter(&f, walk->arg);
	if (r != 0) {
		view_dir_close(&own);
		strbuf_free(&s.path);
		return r < 0 ? r : 0;
	}
	r = push(&s, own, &node);
	while (r == 0 && s.n > 0) {
		r = has_next(&s);
		if (r >= 0)
			r = r ? visit(&s) : leave(&s);
	}
	state_clear(&s);
	return r;
}
