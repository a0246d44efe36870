/*
 * The directories of a layer. overlay keeps a layer in overlay/ID/diff and names those below it in a file beside that:
 * lower-layers (ids, since containers-storage 1.59) or lower (names of the links in overlay/l, each to ../ID/diff). vfs
 * keeps whole trees in vfs/dir/ID; which it began as is in vfs-layers/layers.json.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/chain.h"
#include "libinspect/engines/storage/storage.h"

#include <sys/stat.h>
#include <time.h>

#define OVERLAY	      "overlay"
#define VFS	      "vfs"
#define LINK_NAME_MAX 64
/* "true": the driver mounts with a program of user space, which was found to be needed, or was asked for */
#define PROGRAM_FLAG  ".has-mount-program"
#define PROGRAM_TRIES 50

static bool is_id(const char *s)
{
	return str_is_hex(s, STORAGE_ID_LEN);
}

/* ---- overlay ---- */

/*
 * A layer whose owners were changed for another id mapping has what it was in diff1, diff2 … below diff (overlay.go,
 * UpdateLayerIDMap() and get()).
 */
static int add_older_diffs(const struct storage_root *root, int overlayfd, const char *id,
			   struct insp_layers *layers)
{
	for (unsigned n = 1; n < CONTAINER_LAYERS_MAX; n++) {
		_cleanup_free_ char *path = NULL;
		char name[STORAGE_ID_LEN + sizeof("/diff500")];
		struct stat st;
		int r;

		snprintf(name, sizeof(name), "%s/diff%u", id, n);
		if (fstatat(overlayfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return 0;
		path = str_format("%s/" OVERLAY "/%s", root->path, name);
		r = path ? container_layers_add(layers, path) : -ENOMEM;
		if (r == 0)
			r = container_layers_name(layers, id, NULL);
		if (r < 0)
			return r;
	}
	return -E2BIG;
}

static int add_overlay_layer(const struct storage_root *root, int overlayfd, const char *id,
			     struct insp_layers *layers)
{
	_cleanup_free_ char *path = str_format("%s/" OVERLAY "/%s/diff", root->path, id);
	int r = path ? container_layers_add(layers, path) : -ENOMEM;

	if (r == 0)
		r = container_layers_name(layers, id, NULL);
	return r < 0 ? r : add_older_diffs(root, overlayfd, id, layers);
}

/* "l/NAME" -> the id in its link's text, "../ID/diff" */
static int id_of_link(int overlayfd, const char *word, char id[STORAGE_ID_LEN + 1])
{
	_cleanup_close_ int links = -EBADF;
	_cleanup_free_ char *to = NULL;
	const char *name = str_after(word, "l/"), *rest;
	int r;

	if (!name || !*name || strchr(name, '/') || strlen(name) > LINK_NAME_MAX)
		return -EBADMSG;
	links = io_open_dir(overlayfd, "l");
	if (links < 0)
		return links;
	r = io_readlink(links, name, &to);
	if (r < 0)
		return r;
	rest = str_after(to, "../");
	if (!rest || strlen(rest) != STORAGE_ID_LEN + strlen("/diff") || !str_ends(rest, "/diff"))
		return -EBADMSG;
	snprintf(id, STORAGE_ID_LEN + 1, "%s", rest);
	return is_id(id) ? 0 : -EBADMSG;
}

static int add_lower(const struct storage_root *root, int overlayfd, const char *word,
		     struct insp_layers *layers)
{
	char id[STORAGE_ID_LEN + 1];
	int r = 0;

	if (is_id(word))
		return add_overlay_layer(root, overlayfd, word, layers);
	r = id_of_link(overlayfd, word, id);
	return r < 0 ? r : add_overlay_layer(root, overlayfd, id, layers);
}

/* Words with a colon between each two. */
static int add_lowers(const struct storage_root *root, int overlayfd, char *list,
		      struct insp_layers *layers)
{
	char *word = list;
	int r = 0;

	list[strcspn(list, "\n")] = '\0';
	while (word && *word && r == 0) {
		char *colon = strchr(word, ':');

		if (colon)
			*colon = '\0';
		r = add_lower(root, overlayfd, word, layers);
		word = colon ? colon + 1 : NULL;
	}
	return r;
}

/* The lowest layer of an image has neither file. */
static int read_lowers(const struct storage_root *root, int overlayfd, int layerfd,
		       struct insp_layers *layers, struct insp_err *err)
{
	static const char *const files[] = { "lower-layers", "lower" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_io_buf_ struct io_buf b = { 0 };
		int r = io_read_file(layerfd, files[i], IO_SMALL_MAX, &b, err);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		r = add_lowers(root, overlayfd, b.data, layers);
		return r < 0 ? insp_err_set(err, r, "follow '%s'", files[i]) : 0;
	}
	return 0;
}

/*
 * Written anew by the driver each time it starts, which is at each command: in between the file is empty, and who took that for an
 * answer would take the marks of a fuse mount for files of the container. Only once a scan is waited for: it may be left so.
 */
static void read_program(struct storage_root *root)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	_cleanup_close_ int overlayfd = io_open_dir(root->fd, OVERLAY);
	char flag[8];
	ssize_t n = overlayfd < 0 ? overlayfd : 0;

	for (int i = 0; i < PROGRAM_TRIES && n == 0; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		n = io_read_small_file(overlayfd, PROGRAM_FLAG, flag, sizeof(flag));
	}
	root->with_program = n > 0 && str_starts(flag, "true");
	root->program_read = true;
}

static int overlay_layers(const struct storage_root *root, const char *id, struct insp_layers **ret,
			  struct insp_err *err)
{
	_cleanup_close_ int overlayfd = io_open_dir(root->fd, OVERLAY);
	_cleanup_close_ int layerfd = overlayfd < 0 ? overlayfd : io_open_dir(overlayfd, id);
	_cleanup_layers_ struct insp_layers *layers = NULL;
	int r;

	if (layerfd < 0)
		return insp_err_set(err, layerfd, "open its layer '" OVERLAY "/%.12s'", id);
	/* a fuse mount keeps its own marks in the files */
	layers = container_layers_new(root->with_program ? INSP_ROOT_FUSE_OVERLAY
							 : INSP_ROOT_OVERLAY);
	if (!layers)
		return -ENOMEM;
	layers->upper = str_format("%s/" OVERLAY "/%s/diff", root->path, id);
	layers->work = str_format("%s/" OVERLAY "/%s/work", root->path, id);
	if (!layers->upper || !layers->work || container_set(&layers->upper_id, id) < 0)
		return -ENOMEM;
	r = add_older_diffs(root, overlayfd, id, layers);
	if (r == 0)
		r = read_lowers(root, overlayfd, layerfd, layers, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(layers);
	return 0;
}

/* ---- the lists of layers ---- */

static const char *const layer_lists[] = { "layers.json", "volatile-layers.json" };

/* Calls fn for each layer of DRIVER-layers until it returns other than 0, which it returns. */
static int each_layer(const struct storage_root *root, const char *driver,
		      int (*fn)(void *userdata, const json_t *layer), void *userdata,
		      struct insp_err *err)
{
	_cleanup_free_ char *dir = str_format("%s-layers", driver);
	_cleanup_close_ int fd = dir ? io_open_dir(root->fd, dir) : -ENOMEM;

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(layer_lists); i++) {
		_cleanup_json_ json_t *list = NULL;
		const json_t *layer;
		size_t k;
		int r = json_read_file(fd, layer_lists[i], storage_json_max(root), &list, err);

		if (r < 0 && r != -ENOENT)
			return r;
		json_array_foreach (list, k, layer) {
			r = fn(userdata, layer);
			if (r != 0)
				return r;
		}
	}
	return fd == -ENOMEM ? fd : 0;
}

static int note_diff_id(void *userdata, const json_t *layer)
{
	struct insp_layers *layers = userdata;
	const char *id = json_str_at(layer, "id"), *diff_id = json_str_at(layer, "diff-digest");
	int r = 0;

	for (size_t i = 0; i < layers->n_lowers && r == 0 && id && oci_is_digest(diff_id); i++)
		if (str_eq(layers->ids[i].id, id))
			r = container_set(&layers->ids[i].diff_id, diff_id);
	return r;
}

/* ---- vfs ---- */

struct parent {
	const char *of;
	char id[STORAGE_ID_LEN + 1];
};

static int note_parent(void *userdata, const json_t *layer)
{
	struct parent *parent = userdata;
	const char *of = json_str_at(layer, "parent");

	if (!str_eq(json_str_at(layer, "id"), parent->of))
		return 0;
	snprintf(parent->id, sizeof(parent->id), "%s", of ? of : "");
	return 1;
}

/* The layer that id was copied from. -ENOENT: none, or the lists do not have it. */
static int find_parent(const struct storage_root *root, const char *id,
		       char parent[STORAGE_ID_LEN + 1], struct insp_err *err)
{
	struct parent p = { .of = id };
	int r = each_layer(root, VFS, note_parent, &p, err);

	if (r < 0 || !is_id(p.id))
		return r < 0 ? r : -ENOENT;
	memcpy(parent, p.id, sizeof(p.id));
	return 0;
}

static int vfs_layers(const struct storage_root *root, const char *id, struct insp_layers **ret,
		      struct insp_err *err)
{
	_cleanup_layers_ struct insp_layers *layers = container_layers_new(INSP_ROOT_DIR);
	char parent[STORAGE_ID_LEN + 1];
	_cleanup_free_ char *lower = NULL;
	int r = layers ? find_parent(root, id, parent, err) : -ENOMEM;

	if (r == 0) {
		lower = str_format("%s/" VFS "/dir/%s", root->path, parent);
		r = lower ? container_layers_add(layers, lower) : -ENOMEM;
		if (r == 0)
			r = container_layers_name(layers, parent, NULL);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	layers->upper = str_format("%s/" VFS "/dir/%s", root->path, id);
	if (!layers->upper || container_set(&layers->upper_id, id) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(layers);
	return 0;
}

static int layers_of(const struct storage_root *root, const struct storage_record *record,
		     struct insp_layers **ret, struct insp_err *err)
{
	if (!record->layer)
		return insp_err_say(err, -ENOENT, "it has no layer");
	if (!is_id(record->layer))
		return insp_err_say(err, -EBADMSG, "the id of its layer is none");
	if (str_eq(record->driver, OVERLAY))
		return overlay_layers(root, record->layer, ret, err);
	if (str_eq(record->driver, VFS))
		return vfs_layers(root, record->layer, ret, err);
	return insp_err_say(err, -ENOENT, "a driver of another kind");
}

int storage_layers(struct storage_root *root, const struct storage_record *record,
		   struct insp_layers **ret, struct insp_err *err)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;
	int r;

	if (!root->program_read)
		read_program(root);
	r = layers_of(root, record, &layers, err);

	if (r == 0 && (root->scan->want & INSP_WANT_LAYER_IDS))
		r = each_layer(root, record->driver, note_diff_id, layers, err);
	if (r == 0)
		*ret = TAKE_PTR(layers);
	return r;
}

int storage_fill_layers(struct storage_root *root, const struct storage_record *record,
			struct insp_container *c)
{
	struct insp_layers *layers = NULL;
	struct insp_err err = { 0 };
	int r = storage_layers(root, record, &layers, &err);

	if (r == 0) {
		c->layers = container_layers_free(c->layers);
		c->layers = layers;
		return 0;
	}
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(&err, r, "%s container %.12s", c->engine, c->id);
	engine_scan_fail(root->scan, &err);
	return 0;
}
