/* Which paths a comparison is asked for, and which files are the engines' own. */
#include "libinspect/rootfs/diff.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/path.h"

void diff_scope_clear(struct diff_scope *scope)
{
	for (size_t i = 0; i < scope->n_paths; i++)
		free(scope->paths[i]);
	free(scope->paths);
	*scope = (struct diff_scope){ 0 };
}

/* path without links on the side that has it; the new one counts first. */
static int resolve(const struct diff_side sides[2], const char *path, char **ret,
		   struct insp_err *err)
{
	int r = 0;

	for (int side = INSP_AFTER; side >= INSP_BEFORE; side--) {
		_cleanup_path_at_ struct path_at at = { 0 };

		r = path_resolve(&sides[side].view, path, 0, &at);
		if (r == 0 && !at.exists)
			r = -ENOENT;
		if (r == 0) {
			*ret = TAKE_PTR(at.path);
			return 0;
		}
	}
	return insp_err_set(err, r, "%s container %s: look up '%s'",
			    sides[INSP_AFTER].files->container->engine,
			    sides[INSP_AFTER].files->container->name, path);
}

int diff_scope_init(const struct diff_side sides[2], const struct insp_diff_opts *opts,
		    struct diff_scope *ret, struct insp_err *err)
{
	struct diff_scope scope = { .opts = opts };

	scope.paths = calloc(opts->n_paths + 1, sizeof(*scope.paths));
	if (!scope.paths)
		return insp_err_set(err, -ENOMEM, "compare");
	for (; scope.n_paths < opts->n_paths; scope.n_paths++) {
		int r = resolve(sides, opts->paths[scope.n_paths], &scope.paths[scope.n_paths],
				err);

		if (r < 0) {
			diff_scope_clear(&scope);
			return r;
		}
	}
	*ret = scope;
	return 0;
}

enum diff_scope_answer diff_scope_of(const struct diff_scope *scope, const char *path,
				     const char *name)
{
	enum diff_scope_answer answer = scope->n_paths ? DIFF_SCOPE_OUT : DIFF_SCOPE_IN;

	for (size_t i = 0; i < scope->n_paths && answer != DIFF_SCOPE_IN; i++) {
		if (str_path_is_below(path, scope->paths[i]))
			answer = DIFF_SCOPE_IN;
		else if (str_path_is_below(scope->paths[i], path))
			answer = DIFF_SCOPE_PASS;
	}
	return answer != DIFF_SCOPE_OUT && path_is_excluded(scope->opts->excludes,
							    scope->opts->n_excludes, path, name)
		       ? DIFF_SCOPE_OUT
		       : answer;
}

/* ---- what the engines put there ---- */

/*
 * libpod's list of what its diff leaves out (libpod/diff.go, initInodes); crun and runc make these mount points in the
 * uppermost layer. Others keep theirs in a layer of its own (insp_layers.n_engine).
 */
static const char *const engines_own[] = {
	"/dev",		"/etc/hostname", "/etc/hosts",	       "/etc/mtab",   "/etc/resolv.conf",
	"/proc",	"/run",		 "/run/.containerenv", "/run/notify", "/run/podman-init",
	"/run/secrets", "/sys",
};

static bool leads_to_mounts(const struct diff_file *f)
{
	_cleanup_free_ char *target = NULL;

	return view_readlink(f->dir, f->name, &f->node, &target) == 0 &&
	       (strcmp(target, "/proc/mounts") == 0 || strcmp(target, "/proc/self/mounts") == 0);
}

bool diff_is_engines(const char *path, const struct diff_file *file)
{
	const struct stat *st = &file->node.st;
	size_t i = 0;

	while (i < ARRAY_SIZE(engines_own) && strcmp(path, engines_own[i]) != 0)
		i++;
	if (i == ARRAY_SIZE(engines_own))
		return false;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: return st->st_size == 0;
	case S_IFDIR: return true;
	case S_IFLNK: return strcmp(path, "/etc/mtab") == 0 && leads_to_mounts(file);
	default: return false;
	}
}
