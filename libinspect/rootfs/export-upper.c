/*
 * Only what a container changed, as a layer: github.com/opencontainers/image-spec, layer.md. What is deleted is an empty file
 * .wh.NAME. The set of files is that of insp_diff(), where content decides about files that look unchanged.
 */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/path.h"

static int add_file(struct export *x, const char *path)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	struct walk_file f;
	int r = path_resolve(&x->files->view, path, 0, &at);

	if (r == 0 && (!at.exists || !at.name || !str_eq(at.path, path)))
		r = -ENOENT;
	if (r < 0) {
		export_warn(x, r, path, "look at it");
		return r == -ENOMEM ? r : 0;
	}
	f = (struct walk_file){ at.path, at.name, &at.dir, &at.node, 0 };
	return export_file(x, &f);
}

static int add_whiteout(struct export *x, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *name =
		str_format("%.*s" EXPORT_WH "%s", (int)(slash - path), path + 1, slash + 1);

	return name ? export_empty(x, name) : -ENOMEM;
}

static int on_change(const struct insp_change *change, void *arg)
{
	return change->kind == INSP_CHANGE_DELETED ? add_whiteout(arg, change->path)
						   : add_file(arg, change->path);
}

int export_upper(struct export *x)
{
	struct insp_diff_opts opts = { .flags = INSP_DIFF_VERIFY,
				       .paths = x->opts->paths,
				       .n_paths = x->opts->n_paths,
				       .excludes = x->opts->excludes,
				       .n_excludes = x->opts->n_excludes,
				       .each = on_change,
				       .arg = x };
	struct insp_diags diags = { 0 };
	int r = insp_diff(x->files, NULL, &opts, &diags, x->err);

	for (size_t i = 0; i < diags.n && x->opts->warn; i++)
		x->opts->warn(&diags.items[i], x->opts->arg);
	insp_diags_clear(&diags);
	if (r == -ENODATA)
		insp_err_hint(x->err, "without --upper all of its files are exported");
	return r;
}
