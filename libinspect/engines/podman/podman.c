/* podman's containers, in every graph root that there is (storage/storage.h). docs/formats/podman.md. */
#include "libinspect/engines/podman/podman.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define ROOT_TMP "/run/libpod"

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

static int scan_store(struct podman_store *s)
{
	int r = podman_db_scan(s);

	if (r == 0)
		r = podman_json_scan(s);
	return r < 0 ? r : 0;
}

static void store_done(struct podman_store *s)
{
	free(s->run_root);
	free(s->run_dir);
	free(s->tmp_dir);
	freezer_done(&s->freezer);
}

/* Where things are at run time; of a user's store the directory is the user's own. */
static int set_run_paths(struct podman_store *s)
{
	s->run_root = str_dup(s->storage->run_root);
	if (s->owner == 0) {
		s->run_dir = str_dup("/run");
		s->tmp_dir = str_dup(ROOT_TMP);
	} else {
		s->run_dir = str_format("/run/user/%u", (unsigned)s->owner);
		s->tmp_dir = str_format("/run/user/%u/libpod/tmp", (unsigned)s->owner);
	}
	return s->run_dir && s->tmp_dir && s->run_root ? 0 : -ENOMEM;
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
	int r = set_run_paths(&s);

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

/* The second one: with --cgroups=split, below the cgroup of the service that started it. */
static const char *const cgroup_marks[] = { "/libpod-", "/libpod-payload-", NULL };

const struct engine engine_podman = {
	.name = PODMAN_NAME,
	.scan = scan_podman,
	.storage = true,
	.cgroup_marks = cgroup_marks,
};
