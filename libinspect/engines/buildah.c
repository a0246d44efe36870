/*
 * buildah's working containers: records of containers-storage without metadata, whose directory has a buildah.json.
 * docs/formats/buildah.md.
 *
 * They are made to be changed, not to be run: no process is theirs, and no exit code exists. What `buildah run` starts has
 * a runtime's record of its own, of another name, and is listed as that runtime's.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/runtime.h"
#include "libinspect/engines/storage/storage.h"

#define NAME	  "buildah"
#define FILE_NAME "buildah.json"
#define TYPE	  "buildah " /* and its version: "buildah 0.0.1" of all since 2017 */
#define SCRATCH	  "scratch"  /* as buildah shows what began with no image */

static int fail(struct storage_root *root, const struct storage_record *record, int r,
		struct insp_err *err)
{
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(err, r, NAME " container %.12s", record->id);
	engine_scan_fail(root->scan, err);
	return 0;
}

/* 1; 0: it is somebody else's, or cannot be read (noted). */
static int read_state(struct storage_root *root, const struct storage_record *record, json_t **ret)
{
	static const char *const keys[] = { "type", "image", "image-id", "ociv1.config", NULL };
	_cleanup_close_ int userdata = storage_open_userdata(root, record);
	_cleanup_json_ json_t *state = NULL;
	struct insp_err err = { 0 };
	const char *type;
	int r;

	if (userdata < 0)
		return userdata == -ENOMEM ? userdata : 0;
	if (engine_scan_spend(root->scan, root->owner, root->path, 0) == 0)
		return 0;
	r = json_read_members(userdata, FILE_NAME, storage_json_max(root), keys, &state, &err);
	if (r < 0)
		return fail(root, record, r, &err);
	type = json_str_at(state, "type");
	if (!type || !str_starts(type, TYPE))
		return 0;
	*ret = TAKE_PTR(state);
	return 1;
}

static int fill(struct storage_root *root, const struct storage_record *record, const json_t *state,
		struct insp_container *c)
{
	const char *image = json_str_at(state, "image");
	unsigned want = root->scan->want;
	int r = container_set(&c->name, record->name ? record->name : record->id);

	c->owner = root->owner;
	c->created = record->created;
	c->state = INSP_STATE_CREATED;
	if (!image && !json_str_at(state, "image-id"))
		image = SCRATCH;
	if (r == 0)
		r = container_set(&c->store, root->path);
	if (r == 0)
		r = container_set(&c->image, image);
	if (r == 0)
		r = container_set(&c->image_id, json_str_at(state, "image-id"));
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = runtime_add_labels(c, json_at(state, "ociv1.config.Labels"));
	return r == 0 && (want & INSP_WANT_FILES) ? storage_fill_layers(root, record, c) : r;
}

static int add_record(void *userdata, struct storage_root *root,
		      const struct storage_record *record)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *state = NULL;
	int r;

	if (record->metadata || !engine_scan_wants(root->scan, record->id, record->name))
		return 0;
	r = read_state(root, record, &state);
	if (r <= 0)
		return r;
	c = container_new(NAME, record->id);
	if (!c)
		return -ENOMEM;
	r = fill(root, record, state, c);
	return r < 0 ? r : engine_scan_add(root->scan, TAKE_PTR(c));
}

static int scan_buildah(struct engine_scan *scan)
{
	const struct storage_roots *roots;
	int r;

	/* none of them runs */
	if (!(scan->want & INSP_WANT_STOPPED))
		return 0;
	r = storage_roots(scan, &roots);
	for (size_t i = 0; r == 0 && i < roots->n; i++)
		r = storage_each_record(roots->items[i], NULL, add_record, NULL);
	return r;
}

const struct engine engine_buildah = {
	.name = NAME,
	.scan = scan_buildah,
	.storage = true,
	.store_marks = storage_marks,
};
