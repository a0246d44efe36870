/*
 * What changed: two merged directories side by side. Where both end in the same layers, what those hold is the same on both
 * sides unless a layer above says otherwise: only the names in the layers above are looked at, on both sides.
 */
#include "libinspect/rootfs/diff.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

/* A directory that we are in. */
struct level {
	struct view_dir dirs[2]; /* by enum insp_side; n is 0 where it is none */
	struct view_list lists[2];
	size_t n_parts[2]; /* that are listed */
	unsigned flags;	   /* enum view_list_flags */
	size_t next[2];
	/* the directory itself, in the level above */
	const char *name;
	bool has[2];
	struct view_node nodes[2];
	enum insp_change_kind kind; /* how it is given when something in it is */
	bool told;		    /* it was given, or never is */
	size_t path_len;
};

struct state {
	const struct insp_diff_opts *opts;
	struct diff_side sides[2];
	struct diff_scope scope;
	struct insp_diags *diags;
	struct level *levels;
	size_t n, cap;
	struct strbuf path;
};

static void cut_path(struct state *s, size_t len)
{
	s->path.len = len;
	s->path.buf[len] = '\0';
}

static void level_clear(struct level *l)
{
	for (int side = 0; side < 2; side++) {
		view_dir_close(&l->dirs[side]);
		view_list_clear(&l->lists[side]);
	}
}

static void state_clear(struct state *s)
{
	while (s->n > 0)
		level_clear(&s->levels[--s->n]);
	free(s->levels);
	strbuf_free(&s->path);
	diff_scope_clear(&s->scope);
}

static void hint_open_files(struct insp_err *err)
{
	if (err && err->code == -EMFILE)
		insp_err_hint(err, "raise the limit of open files (ulimit -n): one is needed for "
				   "each layer of each directory on the way");
}

/* What could not be looked at is told; what is gone meanwhile is not. */
static int failed(struct state *s, int error)
{
	const struct insp_container *c = s->sides[INSP_AFTER].files->container;
	struct insp_err err = { 0 };

	if (error == -ENOMEM)
		return error;
	if (error == -ENOENT || !s->diags)
		return 0;
	insp_err_set(&err, error, "%s container %s: look at '%s'", c->engine, c->name, s->path.buf);
	hint_open_files(&err);
	insp_diags_add(s->diags, &err);
	return 0;
}

/* ---- giving a change ---- */

static int64_t nanoseconds(const struct timespec *t)
{
	int64_t ns;

	return __builtin_mul_overflow((int64_t)t->tv_sec, (int64_t)1000000000, &ns) ||
			       __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns)
		       ? INT64_MIN
		       : ns;
}

static struct insp_file describe(const struct diff_file *f)
{
	const struct stat *st = &f->node.st;

	return (struct insp_file){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = st->st_rdev,
		.size = (uint64_t)st->st_size,
		.mtime = nanoseconds(&st->st_mtim),
	};
}

static int give(struct state *s, enum insp_change_kind kind, unsigned what,
		const struct diff_file files[2])
{
	struct insp_file described[2];
	struct insp_change_at at = { .sides = s->sides, .files = files };
	struct insp_change change = { .kind = kind, .what = what, .path = s->path.buf, .at = &at };

	for (int side = 0; side < 2; side++)
		if (files[side].dir) {
			described[side] = describe(&files[side]);
			change.file[side] = &described[side];
		}
	return s->opts->each(&change, s->opts->arg);
}

/* The directory of level i, as it is in the one above. */
static int give_level(struct state *s, size_t i)
{
	struct level *l = &s->levels[i];
	struct diff_file files[2] = { 0 };
	char held = s->path.buf[l->path_len];
	int r;

	for (int side = 0; side < 2; side++)
		if (l->has[side])
			files[side] = (struct diff_file){ &s->levels[i - 1].dirs[side], l->name,
							  l->nodes[side] };
	s->path.buf[l->path_len] = '\0';
	r = give(s, l->kind, 0, files);
	s->path.buf[l->path_len] = held;
	l->told = true;
	return r;
}

/* A directory with a change in it is changed itself, and comes first. */
static int give_with_parents(struct state *s, enum insp_change_kind kind, unsigned what,
			     const struct diff_file files[2])
{
	for (size_t i = 0; i < s->n; i++) {
		int r = s->levels[i].told ? 0 : give_level(s, i);

		if (r < 0)
			return r;
	}
	return give(s, kind, what, files);
}

/* ---- directories ---- */

static bool is_same_part(const struct view_part *a, const struct view_part *b)
{
	struct stat x, y;

	return fstat(a->fd, &x) == 0 && fstat(b->fd, &y) == 0 && io_same_inode(&x, &y);
}

/* How many parts of each are to be listed: without those at the end that are the same. */
static void strip_common(const struct view_dir dirs[2], size_t n[2])
{
	n[0] = dirs[0].n;
	n[1] = dirs[1].n;
	while (n[0] > 0 && n[1] > 0 &&
	       is_same_part(&dirs[0].parts[n[0] - 1], &dirs[1].parts[n[1] - 1])) {
		n[0]--;
		n[1]--;
	}
}

static int list_level(struct level *l)
{
	int r = 0;

	strip_common(l->dirs, l->n_parts);
	if (l->n_parts[0] < l->dirs[0].n)
		l->flags = VIEW_LIST_WHITEOUTS;
	for (int side = 0; side < 2 && r == 0; side++)
		if (l->n_parts[side] > 0)
			r = view_list(&l->dirs[side], l->n_parts[side], l->flags, &l->lists[side]);
	return r;
}

/* *ret: the name of that side that comes next; NULL: there is none left. */
static int next_item(struct level *l, int side, const struct view_name **ret)
{
	struct view_list *list = &l->lists[side];
	int r = l->next[side] < list->n
			? 0
			: view_list_more(&l->dirs[side], l->n_parts[side], l->flags, list);

	if (r > 0)
		l->next[side] = 0;
	*ret = l->next[side] < list->n ? &list->items[l->next[side]] : NULL;
	return r < 0 ? r : 0;
}

/* Takes what l holds, also on failure. */
static int push(struct state *s, struct level *l)
{
	int r;

	if (!util_grow(&s->levels, s->n, &s->cap, sizeof(*s->levels), 16)) {
		level_clear(l);
		return -ENOMEM;
	}
	l->path_len = s->path.len;
	r = list_level(l);
	if (r < 0)
		level_clear(l);
	else
		s->levels[s->n++] = *l;
	return r;
}

static bool is_ancestor(const struct state *s, const struct stat *st)
{
	for (size_t i = 1; i < s->n; i++)
		if (io_same_inode(&s->levels[i].nodes[INSP_AFTER].st, st))
			return true;
	return false;
}

/* Goes into the directory that the new side has; on the old side it may be something else, or nothing. */
static int descend(struct state *s, const char *name, const struct diff_file files[2], bool told)
{
	struct level l = { .name = name, .told = told };
	int r = is_ancestor(s, &files[INSP_AFTER].node.st) ? -ELOOP : 0;

	for (int side = 0; side < 2 && r == 0; side++) {
		l.has[side] = files[side].dir != NULL;
		l.nodes[side] = files[side].node;
		if (l.has[side] && S_ISDIR(l.nodes[side].st.st_mode))
			r = view_enter(files[side].dir, name, &l.nodes[side], &l.dirs[side]);
	}
	l.kind = l.has[INSP_BEFORE] ? INSP_CHANGE_CHANGED : INSP_CHANGE_ADDED;
	if (r < 0)
		level_clear(&l);
	else
		r = push(s, &l);
	return r < 0 ? failed(s, r) : 0;
}

/* ---- one name ---- */

/* What one side has under the name. item: its entry in the list, NULL: it is in the layers that both have, if anywhere. */
static int look_up(const struct view_dir *dir, const char *name, const struct view_name *item,
		   struct diff_file *ret)
{
	int r = dir->n == 0 || (item && item->whiteout) ? -ENOENT
		: item					? view_stat(dir, item, &ret->node)
							: view_lookup(dir, name, &ret->node);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	ret->dir = dir;
	ret->name = name;
	return 0;
}

static enum insp_layer_role role_of(const struct diff_side *side, const struct diff_file *f)
{
	const struct insp_files *files = side->files;
	size_t layer = f->dir->parts[f->node.part].layer + side->first;

	if (side->is_base || files->from != INSP_FILES_LAYERS)
		return INSP_LAYER_IMAGE;
	if (files->n_upper == 0) /* one whole tree */
		return INSP_LAYER_UPPER;
	return layer < files->n_upper			  ? INSP_LAYER_UPPER
	       : layer < files->n_upper + files->n_engine ? INSP_LAYER_ENGINE
							  : INSP_LAYER_IMAGE;
}

/*
 * What is there without the container's doing. With one container on both sides its engine's layer is on both, too; with two
 * each has its own. What a container deletes of its engine's files is its doing.
 */
static bool is_engines(const struct state *s, const struct diff_file files[2])
{
	const struct diff_file *is = &files[INSP_AFTER], *was = &files[INSP_BEFORE];
	const struct diff_side *sides = s->sides;
	bool before = was->dir && role_of(&sides[INSP_BEFORE], was) == INSP_LAYER_ENGINE;

	if (s->opts->flags & INSP_DIFF_ALL)
		return false;
	if (!is->dir)
		return before && sides[INSP_AFTER].files->n_engine == 0;
	switch (role_of(&sides[INSP_AFTER], is)) {
	case INSP_LAYER_ENGINE: return true;
	case INSP_LAYER_IMAGE: return before;
	default: break;
	}
	/* where the engine has no layer of its own, it writes where the container does */
	return !was->dir && sides[INSP_AFTER].files->container->layers->n_engine == 0 &&
	       diff_is_engines(s->path.buf, is);
}

static bool is_dir(const struct diff_file *f)
{
	return f->dir && S_ISDIR(f->node.st.st_mode);
}

/* A file that the new side has. */
static int visit_present(struct state *s, const char *name, const struct diff_file files[2],
			 bool in_scope)
{
	enum insp_change_kind kind =
		files[INSP_BEFORE].dir ? INSP_CHANGE_CHANGED : INSP_CHANGE_ADDED;
	bool engines = is_engines(s, files), told = !in_scope;
	unsigned what = 0;
	int r = 0;

	if (kind == INSP_CHANGE_CHANGED)
		r = diff_compare(files, s->opts->flags, &what);
	if (r < 0)
		r = failed(s, r);
	if (r == 0 && in_scope && !engines && (kind == INSP_CHANGE_ADDED || what)) {
		told = true;
		r = give_with_parents(s, kind, what, files);
	}
	return r == 0 && is_dir(&files[INSP_AFTER]) ? descend(s, name, files, told) : r;
}

/* items: the name's entry in each list, NULL where it has none. */
static int visit(struct state *s, const char *name, const struct view_name *const items[2])
{
	const struct level *l = &s->levels[s->n - 1];
	struct diff_file files[2] = { 0 };
	enum diff_scope_answer scope;
	int r = 0;

	cut_path(s, l->path_len);
	if (s->path.buf[l->path_len - 1] != '/')
		strbuf_puts(&s->path, "/");
	strbuf_puts(&s->path, name);
	if (s->path.failed)
		return -ENOMEM;
	scope = diff_scope_of(&s->scope, s->path.buf, name);
	if (scope == DIFF_SCOPE_OUT)
		return 0;
	for (int side = 0; side < 2 && r == 0; side++)
		r = look_up(&l->dirs[side], name, items[side], &files[side]);
	if (r < 0)
		return failed(s, r);
	if (files[INSP_AFTER].dir)
		return visit_present(s, name, files, scope == DIFF_SCOPE_IN);
	if (!files[INSP_BEFORE].dir || is_engines(s, files))
		return 0;
	return give_with_parents(s, INSP_CHANGE_DELETED, 0, files);
}

/* The next name of either list, both at once where both have it. 1: there is none left. */
static int step(struct state *s)
{
	struct level *l = &s->levels[s->n - 1];
	const struct view_name *items[2];
	int order;

	for (int side = 0; side < 2; side++) {
		int r = next_item(l, side, &items[side]);

		/* with half of the names the others would look deleted */
		if (r < 0) {
			cut_path(s, l->path_len);
			r = failed(s, r);
			return r < 0 ? r : 1;
		}
	}
	if (!items[0] && !items[1])
		return 1;
	order = !items[0] ? 1 : !items[1] ? -1 : strcmp(items[0]->name, items[1]->name);
	if (order > 0)
		items[0] = NULL;
	if (order < 0)
		items[1] = NULL;
	l->next[0] += items[0] != NULL;
	l->next[1] += items[1] != NULL;
	return visit(s, items[0] ? items[0]->name : items[1]->name, items);
}

/* ---- the sides ---- */

static struct diff_side side_of(const struct insp_files *files, const struct view *v, size_t first)
{
	return (struct diff_side){
		.files = files,
		.view = { .layers = v->layers + first, .n = v->n - first, .marks = v->marks },
		.first = first,
		.is_base = v == &files->base,
	};
}

static int find_sides(struct state *s, const struct insp_files *is, const struct insp_files *was,
		      struct insp_err *err)
{
	size_t below = is->n_upper + (s->opts->flags & INSP_DIFF_ALL ? is->n_engine : 0);

	s->sides[INSP_AFTER] = side_of(is, &is->view, 0);
	if (was)
		s->sides[INSP_BEFORE] = side_of(was, &was->view, 0);
	else if (is->base.n > 0)
		s->sides[INSP_BEFORE] = side_of(is, &is->base, 0);
	else if (is->from == INSP_FILES_LAYERS && is->n_upper > 0 && is->view.n > below)
		s->sides[INSP_BEFORE] = side_of(is, &is->view, below);
	else
		return insp_err_say(err, -ENODATA,
				    "%s container %s: the tree that it began as is not kept",
				    is->container->engine, is->container->name);
	return 0;
}

static int push_root(struct state *s)
{
	struct level l = { .told = true, .name = "/" };
	int r = 0;

	strbuf_puts(&s->path, "/");
	if (s->path.failed)
		return -ENOMEM;
	for (int side = 0; side < 2 && r == 0; side++)
		r = view_root(&s->sides[side].view, 0, &l.dirs[side]);
	if (r < 0) {
		level_clear(&l);
		return r;
	}
	return push(s, &l);
}

static int compare(struct state *s)
{
	int r = push_root(s);

	while (r == 0 && s->n > 0) {
		r = step(s);
		if (r == 1) {
			level_clear(&s->levels[--s->n]);
			r = 0;
		}
	}
	return r;
}

int insp_diff(const struct insp_files *is, const struct insp_files *was,
	      const struct insp_diff_opts *opts, struct insp_diags *diags, struct insp_err *err)
{
	struct state s = { .opts = opts, .diags = diags };
	int r = find_sides(&s, is, was, err);

	if (r == 0)
		r = diff_scope_init(s.sides, opts, &s.scope, err);
	if (r < 0)
		return r;
	r = compare(&s);
	state_clear(&s);
	if (r < 0) {
		insp_err_set(err, r, "%s container %s: compare", is->container->engine,
			     is->container->name);
		hint_open_files(err);
	}
	return r < 0 ? r : 0;
}
