/*
 * The stack of merged directories from the root to where we are is held, and ".." goes back along it: a directory that is
 * moved meanwhile leads nowhere else.
 */
#include "libinspect/rootfs/volumes.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <fnmatch.h>
#include <limits.h>

#define LINKS_MAX 40 /* MAXSYMLINKS */

struct walk {
	const struct view *view;
	const struct volumes *volumes; /* NULL: none */
	struct view_dir *dirs;	       /* dirs[0] is the root */
	char **names;		       /* names[i] led to dirs[i]; names[0] is NULL */
	size_t n;
	char *rest;
	int links;
};

void path_at_close(struct path_at *at)
{
	view_dir_close(&at->dir);
	free(at->name);
	free(at->path);
	*at = (struct path_at){ 0 };
}

static void pop(struct walk *w)
{
	view_dir_close(&w->dirs[--w->n]);
	free(w->names[w->n]);
}

static void walk_clear(struct walk *w)
{
	while (w->n > 0)
		pop(w);
	free(w->dirs);
	free(w->names);
	free(w->rest);
}

/* Takes ownership of dir, also on failure. */
static int push(struct walk *w, struct view_dir dir, const char *name)
{
	char *copy = name ? strdup(name) : NULL;
	struct view_dir *dirs = reallocarray(w->dirs, w->n + 1, sizeof(*dirs));
	char **names;

	if (dirs)
		w->dirs = dirs;
	names = dirs ? reallocarray(w->names, w->n + 1, sizeof(*names)) : NULL;
	if (names)
		w->names = names;
	if (!names || (name && !copy)) {
		free(copy);
		view_dir_close(&dir);
		return -ENOMEM;
	}
	w->dirs[w->n] = dir;
	w->names[w->n++] = copy;
	return 0;
}

static int enter(struct walk *w, const char *name, const struct view_node *node)
{
	struct view_dir next;
	int r = view_enter(&w->dirs[w->n - 1], name, node, &next);

	return r < 0 ? r : push(w, next, name);
}

/* Puts where the link leads before what is left. */
static int follow(struct walk *w, const char *name, const struct view_node *node)
{
	_cleanup_free_ char *target = NULL;
	char *rest;
	int r;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	r = view_readlink(&w->dirs[w->n - 1], name, node, &target);
	if (r < 0)
		return r;
	if (!*target)
		return -ENOENT;
	if (*target == '/')
		while (w->n > 1)
			pop(w);
	rest = str_format("%s%s%s", target, *w->rest ? "/" : "", w->rest);
	if (!rest)
		return -ENOMEM;
	free(w->rest);
	w->rest = rest;
	return 0;
}

/* Cuts the next component off. false: there is none left. *last: nothing but slashes and dots follows. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1], bool *last, bool *slash, int *error)
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");

	*error = n > NAME_MAX ? -ENAMETOOLONG : 0;
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, p, n);
	name[n] = '\0';
	memmove(w->rest, p + n, strlen(p + n) + 1);
	p = w->rest + strspn(w->rest, "/");
	*slash = *w->rest == '/';
	*last = *p == '\0' || strcmp(p, ".") == 0 || strcmp(p, "./") == 0;
	return true;
}

static char *path_of(const struct walk *w, const char *name)
{
	struct strbuf sb = { 0 };

	for (size_t i = 1; i < w->n; i++) {
		strbuf_puts(&sb, "/");
		strbuf_puts(&sb, w->names[i]);
	}
	if (name || w->n == 1)
		strbuf_puts(&sb, "/");
	if (name)
		strbuf_puts(&sb, name);
	return strbuf_take(&sb);
}

/* The directory where we are becomes the answer, with name in it (NULL: itself). */
static int answer(struct walk *w, const char *name, struct path_at *at)
{
	at->path = path_of(w, name);
	at->name = name ? strdup(name) : NULL;
	if (!at->path || (name && !at->name))
		return -ENOMEM;
	at->dir = w->dirs[w->n - 1];
	w->dirs[w->n - 1] = (struct view_dir){ 0 };
	return 0;
}

/* A single file that is mounted: in the directory where it is on the host. */
static int answer_file(struct walk *w, const struct volume *v, const char *name, struct path_at *at)
{
	int r = view_root(&v->view, 0, &at->dir);

	if (r == 0)
		r = view_lookup(&at->dir, v->name, &at->node);
	if (r < 0)
		return r;
	at->exists = true;
	at->path = path_of(w, name);
	at->name = strdup(v->name);
	return at->path && at->name ? 1 : -ENOMEM;
}

/* Into what is mounted on name. */
static int step_volume(struct walk *w, const struct volume *v, const char *name, bool last,
		       struct path_at *at)
{
	struct view_dir root;
	int r = v->error;

	if (r < 0)
		return r;
	if (v->name)
		return !last || at->slash ? -ENOTDIR : answer_file(w, v, name, at);
	r = view_root(&v->view, 0, &root);
	if (r == 0)
		r = push(w, root, name);
	if (r < 0 || !last)
		return r;
	at->exists = true;
	return (r = answer(w, NULL, at)) < 0 ? r : 1;
}

/* What is mounted on name in the directory where we are; NULL: nothing. */
static int find_volume(const struct walk *w, const char *name, const struct volume **ret)
{
	_cleanup_free_ char *path = w->volumes && w->volumes->n > 0 ? path_of(w, name) : NULL;

	*ret = path ? volumes_at(w->volumes, path) : NULL;
	return path || !w->volumes || w->volumes->n == 0 ? 0 : -ENOMEM;
}

/* One component. 1: it was the last one and at is the answer. */
static int step(struct walk *w, const char *name, bool last, unsigned flags, struct path_at *at)
{
	const struct volume *volume;
	int r;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		if (w->n > 1)
			pop(w);
		return 0;
	}
	r = find_volume(w, name, &volume);
	if (r < 0 || volume)
		return r < 0 ? r : step_volume(w, volume, name, last, at);
	r = view_lookup(&w->dirs[w->n - 1], name, &at->node);
	if (r == -ENOENT && last) {
		at->exists = false;
		return (r = answer(w, name, at)) < 0 ? r : 1;
	}
	if (r < 0)
		return r;
	if (S_ISLNK(at->node.st.st_mode) && (!last || (flags & PATH_FOLLOW) || at->slash))
		return follow(w, name, &at->node);
	if (!last)
		return enter(w, name, &at->node);
	at->exists = true;
	if (at->slash && !S_ISDIR(at->node.st.st_mode))
		return -ENOTDIR;
	return (r = answer(w, name, at)) < 0 ? r : 1;
}

int volumes_resolve(const struct view *v, const struct volumes *volumes, const char *path,
		    unsigned flags, struct path_at *ret)
{
	struct walk w = { .view = v, .volumes = volumes, .rest = strdup(path) };
	struct path_at at = { 0 };
	struct view_dir root;
	char name[NAME_MAX + 1];
	bool last, slash;
	int r = w.rest ? view_root(v, 0, &root) : -ENOMEM, error = 0;

	if (r == 0)
		r = push(&w, root, NULL);
	while (r == 0 && next_name(&w, name, &last, &slash, &error)) {
		if (last && slash)
			at.slash = true;
		r = step(&w, name, last, flags, &at);
	}
	if (r == 0 && error)
		r = error;
	if (r == 0) { /* "/", or a path that ended in ".." */
		at.exists = at.slash = true;
		r = answer(&w, NULL, &at);
	}
	walk_clear(&w);
	if (r < 0) {
		path_at_close(&at);
		return r;
	}
	*ret = at;
	return 0;
}

int path_resolve(const struct view *v, const char *path, unsigned flags, struct path_at *ret)
{
	return volumes_resolve(v, NULL, path, flags, ret);
}

bool path_is_excluded(const char *const *globs, size_t n, const char *path, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const char *subject = strchr(globs[i], '/') ? path + (*globs[i] != '/') : name;

		if (fnmatch(globs[i], subject, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}
