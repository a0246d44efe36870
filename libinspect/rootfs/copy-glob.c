/* Patterns of a container's paths, expanded in its view. */
#include "libinspect/rootfs/rootfs.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/path.h"

#include <fnmatch.h>

#define PATHS_MAX ((size_t)1 << 20) /* a container's links to "." make any number of them */

static int add(struct insp_paths *paths, char *path)
{
	char **bigger;

	if (path && paths->n == PATHS_MAX) {
		free(path);
		return -E2BIG;
	}
	bigger = path ? reallocarray(paths->items, paths->n + 1, sizeof(*bigger)) : NULL;

	if (!bigger) {
		free(path);
		return -ENOMEM;
	}
	paths->items = bigger;
	paths->items[paths->n++] = path;
	return 0;
}

void insp_paths_clear(struct insp_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct insp_paths){ 0 };
}

/* The directory that path leads to. */
static int open_dir(const struct view *v, const char *path, struct view_dir *ret)
{
	_cleanup_free_ char *slash = str_format("%s/", path);
	_cleanup_path_at_ struct path_at at = { 0 };
	int r = slash ? path_resolve(v, slash, PATH_FOLLOW, &at) : -ENOMEM;

	if (r < 0)
		return r;
	if (!at.exists)
		return -ENOENT;
	return at.name ? view_enter(&at.dir, at.name, &at.node, ret) : view_dir_again(&at.dir, ret);
}

/* What in the directory path has a name that matches. One that cannot be looked into has nothing. */
static int match_in(const struct view *v, const char *path, const char *pattern,
		    struct insp_paths *next)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	int r = open_dir(v, path, &dir);

	if (r == 0)
		r = view_list(&dir, dir.n, 0, &list);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	do {
		for (size_t i = 0; i < list.n && r >= 0; i++)
			if (fnmatch(pattern, list.items[i].name, FNM_PERIOD) == 0)
				r = add(next, str_format("%s/%s", path, list.items[i].name));
	} while (r >= 0 && (r = view_list_more(&dir, dir.n, 0, &list)) > 0);
	return r;
}

/* One component of the pattern, below each path that the ones before it have given. */
static int expand(const struct view *v, const char *component, struct insp_paths *paths)
{
	bool plain = !strpbrk(component, "*?[\\");
	struct insp_paths next = { 0 };
	int r = 0;

	for (size_t i = 0; i < paths->n && r == 0; i++)
		r = plain ? add(&next, str_format("%s/%s", paths->items[i], component))
			  : match_in(v, paths->items[i], component, &next);
	insp_paths_clear(paths);
	*paths = next;
	return r;
}

static int keep_existing(const struct view *v, struct insp_paths *paths)
{
	size_t n = 0;

	for (size_t i = 0; i < paths->n; i++) {
		_cleanup_path_at_ struct path_at at = { 0 };

		if (path_resolve(v, paths->items[i], 0, &at) == 0 && at.exists)
			paths->items[n++] = paths->items[i];
		else
			free(paths->items[i]);
	}
	paths->n = n;
	return n ? 0 : -ENOENT;
}

int insp_copy_glob(struct insp_files *files, const char *pattern, struct insp_paths *ret,
		   struct insp_err *err)
{
	_cleanup_free_ char *copy = strdup(pattern);
	struct insp_paths paths = { 0 };
	char *save = NULL, *slash = strrchr(pattern, '/');
	int r = copy ? add(&paths, strdup("")) : -ENOMEM;

	for (char *c = copy ? strtok_r(copy, "/", &save) : NULL; c && r == 0;
	     c = strtok_r(NULL, "/", &save))
		r = expand(&files->view, c, &paths);
	/* a slash at the end means something */
	if (r == 0 && slash && !slash[1])
		r = expand(&files->view, "", &paths);
	if (r == 0)
		r = keep_existing(&files->view, &paths);
	if (r < 0) {
		insp_paths_clear(&paths);
		return insp_err_set(err, r, "%s container %s: '%s'", files->container->engine,
				    files->container->name, pattern);
	}
	*ret = paths;
	return 0;
}
