/*
 * What is mounted into a container by its configuration, in an export: at its place in the order, with the mounted directory's
 * owner, mode and attributes. Of a mount point that the layers lack (a container that never ran, a volume on a tmpfs) the
 * directories on the way are made as runtimes make them (runc, MkdirAll 0755), behind what else is in their directory.
 */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/path.h"

/* What became of a volume. */
enum {
	DONE = 1, /* come by, left out or lost */
	MADE,	  /* put where no mount point was */
};

/* Those of a running container are as they are mounted; one that ended meanwhile is stopped. */
static int open_volumes(struct export *x)
{
	const struct insp_files *f = x->files;
	struct insp_files *live = NULL;
	int r = f->container->pid > 0 && f->sys->live
			? insp_files_open(f->sys, f->container, INSP_FILES_LIVE, &live, NULL)
			: -ESRCH;

	/*
	 * Of what has a kernel of its own (gVisor) nothing is mounted here; what is on a user's FUSE (fuse-overlayfs) is shown
	 * to nobody else, root neither.
	 */
	if (r == -ESRCH || r == -EACCES || (r < 0 && r != -ENOMEM && f->container->guest))
		return volumes_open(f, false, &x->volumes);
	if (r < 0)
		return insp_err_set(x->err, r, "%s container %s: look at what is mounted in it",
				    f->container->engine, f->container->name);
	r = volumes_open_live(f, live, &x->volumes);
	insp_files_close(live);
	return r;
}

int export_volumes_open(struct export *x)
{
	int r = x->opts->volumes && x->files->from == INSP_FILES_LAYERS ? open_volumes(x) : 0;

	if (r < 0 || x->volumes.n == 0)
		return r;
	x->volumes_done = calloc(x->volumes.n, sizeof(*x->volumes_done));
	return x->volumes_done ? 0 : -ENOMEM;
}

void export_volumes_close(struct export *x)
{
	volumes_close(&x->volumes);
	free(x->volumes_done);
}

const struct volume *export_volume_at(const struct export *x, const struct walk_file *f)
{
	return f->depth > 0 && x->volumes.n > 0 ? volumes_at(&x->volumes, f->path) : NULL;
}

static void set_done(struct export *x, const struct volume *v)
{
	x->volumes_done[v - x->volumes.items] = DONE;
}

/* Why its files are not in the archive. */
static void say_lost(struct export *x, const struct volume *v)
{
	struct insp_err err = { 0 };

	if (!x->opts->warn)
		return;
	volume_say(v, v->error, "export", &err);
	x->opts->warn(&err, x->opts->arg);
}

/* ---- mount points that the layers lack ---- */

void export_volumes_skip(struct export *x, const char *path)
{
	for (size_t i = 0; i < x->volumes.n; i++)
		if (str_path_is_below(x->volumes.items[i].path, path))
			set_done(x, &x->volumes.items[i]);
}

/* Whether a volume before number n already has had the directory made. */
static bool is_made(const struct export *x, size_t n, const char *dir)
{
	for (size_t i = 0; i < n; i++)
		if (x->volumes_done[i] == MADE && str_path_is_below(x->volumes.items[i].path, dir))
			return true;
	return false;
}

/* The directories on the way from base to the volume; make false: 1: one of them, or it, is excluded. */
static int make_way(struct export *x, const char *base, size_t n, bool make)
{
	_cleanup_free_ char *path = str_dup(x->volumes.items[n].path);
	char *slash = path ? path + (strcmp(base, "/") == 0 ? 0 : strlen(base)) : NULL;
	int r = path ? 0 : -ENOMEM;

	while (r == 0 && slash) {
		char *name = slash + 1;

		slash = strchr(name, '/');
		if (slash)
			*slash = '\0';
		if (!make)
			r = path_is_excluded(x->opts->excludes, x->opts->n_excludes, path, name);
		else if (slash && !is_made(x, n, path))
			r = export_dir(x, path + x->skip);
		if (slash)
			*slash = '/';
	}
	return r;
}

/* Whether base, which may itself be lost, has what would be in the way. */
static bool is_blocked(const struct export *x, const char *base, const char *path)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	const char *rest = path + (strcmp(base, "/") == 0 ? 1 : strlen(base) + 1);
	_cleanup_free_ char *name = str_format("%.*s", (int)strcspn(rest, "/"), rest);
	struct view_node node;

	if (!name || volumes_resolve(&x->files->view, &x->volumes, base, 0, &at) < 0)
		return false;
	if (at.name && view_enter(&at.dir, at.name, &at.node, &dir) < 0)
		return true;
	return view_lookup(at.name ? &dir : &at.dir, name, &node) == 0;
}

static int add_missing(struct export *x, const char *base, size_t n)
{
	const struct volume *v = &x->volumes.items[n];
	struct walk_file f = { .path = v->path };
	int r = make_way(x, base, n, false);

	set_done(x, v);
	if (r != 0)
		return r < 0 ? r : 0;
	if (v->error) {
		say_lost(x, v);
		return 0;
	}
	if (is_blocked(x, base, v->path)) {
		export_warn(x, -EINVAL, v->path, "its mount point cannot be reached");
		return 0;
	}
	r = make_way(x, base, n, true);
	if (r == 0)
		r = export_volume(x, &f, v);
	x->volumes_done[n] = MADE;
	return r < 0 ? r : 0;
}

/* Those below base that the walk has not come by, in the order of their depth. */
static int add_all_missing(struct export *x, const char *base)
{
	int r = 0;

	for (size_t i = 0; i < x->volumes.n && r >= 0; i++)
		if (!x->volumes_done[i] && strcmp(x->volumes.items[i].path, base) != 0 &&
		    str_path_is_below(x->volumes.items[i].path, base))
			r = add_missing(x, base, i);
	return r < 0 ? r : 0;
}

int export_volumes_leave(const struct walk_file *f, void *arg)
{
	struct export *x = arg;

	return x->volumes.n > 0 ? add_all_missing(x, f->path) : 0;
}

/* ---- one of them ---- */

/* What is mounted over by what cannot be had: a directory alone, with no more than other volumes in it. */
static int add_lost(struct export *x, const struct walk_file *f, const struct volume *v)
{
	int r = 0;

	say_lost(x, v);
	if (v->error == -ESTALE) /* then the layers are what the container sees there */
		return f->node ? export_file(x, f) : 0;
	if (!f->node || !S_ISDIR(f->node->st.st_mode))
		return 0;
	r = export_file(x, f);
	if (r == 0)
		r = add_all_missing(x, f->path);
	return r < 0 ? r : WALK_SKIP;
}

int export_volume(struct export *x, const struct walk_file *f, const struct volume *v)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct view_node node;
	struct walk_file own = { f->path, v->name, &dir, &node, f->depth };
	int r;

	set_done(x, v);
	if (v->error)
		return add_lost(x, f, v);
	r = view_root(&v->view, 0, &dir);
	if (r == 0 && !v->name)
		return (r = export_tree(x, &dir, f->path)) < 0 ? r : WALK_SKIP;
	if (r == 0)
		r = view_lookup(&dir, v->name, &node);
	if (r == 0)
		return (r = export_file(x, &own)) < 0 ? r : WALK_SKIP;
	export_warn(x, r, f->path, "look at it");
	return r == -ENOMEM ? r : WALK_SKIP;
}

void export_volumes_check(struct export *x)
{
	for (size_t i = 0; i < x->volumes.n; i++) {
		const struct volume *v = &x->volumes.items[i];
		struct stat st;

		if (!v->error && fstat(v->view.layers[0].fd, &st) == 0 && st.st_nlink == 0)
			export_warn(x, -ESTALE, v->path,
				    "its volume was removed while it was exported");
	}
}
