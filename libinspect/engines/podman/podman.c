/* podman's containers, in every graph root that there is (storage/storage.h). docs/formats/podman.md. */
#include "libinspect/engines/podman/podman.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define ROOT_TMP "/run/libpod"
#define USER_TMP "/libpod/tmp"

int podman_open_dir(const struct podman_store *s, const char *path)
{
	return storage_open_dir(s->storage, path);
}

int podman_record_fail(const struct podman_store *s, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, PODMAN_NAME " container %.12s", id);
	engine_scan_fail(s->scan, err);
	return 0;
}

struct insp_container *podman_new(const struct podman_store *s, const char *id, const char *name)
{
	_cleanup_container_ struct insp_container *c = container_new(PODMAN_NAME, id);

	if (!c || container_set(&c->name, name && *name ? name : id) < 0 ||
	    container_set(&c->store, s->path) < 0)
		return NULL;
	c->owner = s->owner;
	return TAKE_PTR(c);
}

/*
 * podman uses the older database while it is there, unless it is told otherwise, and by what it was told is not in the
 * store. So both count: of the older one what the newer does not have and storage still has.
 */
static int scan_store(struct podman_store *s)
{
	size_t noted = s->scan->diags.n;
	int sql = podman_sql_scan(s);
	int db = sql < 0 ? sql : podman_db_scan(s);

	if (db < 0 || sql > 0 || db > 0)
		return db < 0 ? db : 0;
	s->no_database = s->scan->diags.n == noted;
	return podman_json_scan(s);
}

static void store_done(struct podman_store *s)
{
	free(s->run_root);
	free(s->run_dir);
	free(s->tmp_dir);
	free(s->volume_dir);
	free(s->prefix);
	free(s->sql_ids);
	freezer_done(&s->freezer);
}

/* Where things are at run time; of a user's store the directory is the user's own. */
static int set_defaults(struct podman_store *s)
{
	s->prefix = str_dup("");
	s->run_root = str_dup(s->storage->run_root);
	s->volume_dir = str_format("%s/volumes", s->path);
	if (s->owner == 0) {
		s->run_dir = str_dup("/run");
		s->tmp_dir = str_dup(ROOT_TMP);
	} else {
		s->run_dir = str_format("/run/user/%u", (unsigned)s->owner);
		s->tmp_dir = str_format("/run/user/%u" USER_TMP, (unsigned)s->owner);
	}
	return s->prefix && s->run_root && s->volume_dir && s->run_dir && s->tmp_dir ? 0 : -ENOMEM;
}

char *podman_host_path(const struct podman_store *s, const char *path)
{
	return str_format("%s%s", s->prefix, path);
}

static int take_path(const struct podman_store *s, const char *path, char **field)
{
	char *copy;

	if (!path || path[0] != '/')
		return 0;
	copy = podman_host_path(s, path);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* What stands before graph_root in the path by which we found it. */
static int set_prefix(struct podman_store *s, const char *graph_root)
{
	size_t len = strlen(s->path);

	/* a user's podman in a chroot would be in another user namespace's mounts: not from here */
	if (s->owner != 0 || !graph_root || graph_root[0] != '/' || !str_ends(s->path, graph_root))
		return 0;
	free(s->prefix);
	s->prefix = strndup(s->path, len - strlen(graph_root));
	free(s->run_dir);
	s->run_dir = s->prefix ? str_format("%s/run", s->prefix) : NULL;
	return s->run_dir ? 0 : -ENOMEM;
}

int podman_set_paths(struct podman_store *s, const struct podman_paths *paths)
{
	int r = set_prefix(s, paths->graph_root);

	if (r == 0)
		r = take_path(s, paths->run_root, &s->run_root);
	if (r == 0)
		r = take_path(s, paths->tmp_dir, &s->tmp_dir);
	if (r == 0)
		r = take_path(s, paths->volume_dir, &s->volume_dir);
	/* without XDG_RUNTIME_DIR a user's podman makes up another directory for all of it */
	if (r == 0 && s->owner != 0 && str_ends(s->tmp_dir, USER_TMP)) {
		free(s->run_dir);
		s->run_dir = strndup(s->tmp_dir, strlen(s->tmp_dir) - strlen(USER_TMP));
		r = s->run_dir ? 0 : -ENOMEM;
	}
	return r;
}

static int scan_root(struct engine_scan *scan, struct storage_root *root)
{
	_cleanup_(store_done) struct podman_store s = {
		.scan = scan,
		.storage = root,
		.path = root->path,
		.fd = root->fd,
		.owner = root->owner,
	};
	int r = set_defaults(&s);

	return r < 0 ? r : scan_store(&s);
}

static int scan_podman(struct engine_scan *scan)
{
	const struct storage_roots *roots;
	int r = storage_roots(scan, &roots);

	for (size_t i = 0; r == 0 && i < roots->n; i++)
		r = scan_root(scan, roots->items[i]);
	return r;
}

/* Those of whoever uses containers-storage: an image is no engine's. */
static int images(struct engine_scan *scan)
{
	return storage_images(scan, PODMAN_NAME);
}

/* The second one: with --cgroups=split, below the cgroup of the service that started it. */
static const char *const cgroup_marks[] = { "/libpod-", "/libpod-payload-", NULL };

const struct engine engine_podman = {
	.name = PODMAN_NAME,
	.scan = scan_podman,
	.images = images,
	.storage = true,
	.cgroup_marks = cgroup_marks,
	.store_marks = storage_marks,
};
