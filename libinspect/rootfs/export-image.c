/*
 * A layer made into an image: github.com/opencontainers/image-spec, image-layout.md, config.md, manifest.md (1.0), in an
 * archive; and manifest.json, by which image archives were loaded before there was that layout and still are
 * (github.com/moby/docker-image-spec, "combined image JSON + filesystem changeset format").
 */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"

#include <time.h>

#define TYPE_INDEX    "application/vnd.oci.image.index.v1+json"
#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define TYPE_CONFIG   "application/vnd.oci.image.config.v1+json"
#define TYPE_LAYER    "application/vnd.oci.image.layer.v1.tar"
#define BLOBS	      "blobs/sha256/"

/* A part of the image: its text and its sum. */
struct blob {
	char *text;
	size_t len;
	char sum[SUM_HEX];
};

static void blob_clear(struct blob *b)
{
	free(b->text);
}
#define _cleanup_blob_ _cleanup_(blob_clear)

/* Takes the reference. -ENOMEM, also when json is NULL. */
static int blob_make(struct blob *b, json_t *json)
{
	struct sha256_ctx sum;

	b->text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!b->text)
		return -ENOMEM;
	b->len = strlen(b->text);
	sha256_init(&sum);
	sha256_update(&sum, b->len, (const uint8_t *)b->text);
	sum_hex(&sum, b->sum);
	return 0;
}

/* ---- what is in it ---- */

static int64_t made_at(const struct export *x)
{
	const struct insp_container *c = x->files->container;

	return (x->opts->sorted ? c->created : insp_sys_now(x->files->sys)) / 1000000000;
}

static json_t *time_text(const struct export *x)
{
	time_t t = (time_t)made_at(x);
	struct tm tm;
	char text[40];

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return NULL;
	return json_string(text);
}

static json_t *config_json(const struct export *x, const struct export_layer *layer)
{
	const char *text = x->files->container->image_config;
	json_t *config = text ? json_loads(text, 0, NULL) : NULL;
	char arch[OCI_ARCHITECTURE_MAX];

	return json_pack("{s:o, s:s, s:s, s:o, s:{s:s, s:[s+]}, s:[{s:o, s:s}]}", "created",
			 time_text(x), "architecture", oci_architecture(arch), "os", "linux",
			 "config", config ? config : json_object(), "rootfs", "type", "layers",
			 "diff_ids", "sha256:", layer->plain, "history", "created", time_text(x),
			 "created_by", "cexport");
}

static json_t *descriptor(const char *type, const char *suffix, const char *sum, uint64_t size)
{
	return json_pack("{s:s+, s:s+, s:I}", "mediaType", type, suffix, "digest", "sha256:", sum,
			 "size", (json_int_t)size);
}

static const char *layer_suffix(const struct export *x)
{
	switch (x->opts->filter) {
	case INSP_EXPORT_GZIP: return "+gzip";
	case INSP_EXPORT_ZSTD: return "+zstd";
	default: return "";
	}
}

static json_t *manifest_json(const struct export *x, const struct blob *config,
			     const struct export_layer *layer)
{
	return json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", TYPE_MANIFEST,
			 "config", descriptor(TYPE_CONFIG, "", config->sum, config->len), "layers",
			 descriptor(TYPE_LAYER, layer_suffix(x), layer->packed, layer->size));
}

static json_t *index_json(const struct export *x, const struct blob *manifest)
{
	json_t *d = descriptor(TYPE_MANIFEST, "", manifest->sum, manifest->len);

	if (d && x->opts->tag)
		json_object_set_new(d, "annotations",
				    json_pack("{s:s, s:s}", "org.opencontainers.image.ref.name",
					      x->opts->tag, "io.containerd.image.name",
					      x->opts->full_tag ? x->opts->full_tag
								: x->opts->tag));
	return json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", TYPE_INDEX,
			 "manifests", d);
}

static json_t *legacy_json(const struct export *x, const struct blob *config,
			   const struct export_layer *layer)
{
	json_t *tags = x->opts->tag ? json_pack("[s]", x->opts->tag) : json_null();

	return json_pack("[{s:s+, s:o, s:[s+]}]", "Config", BLOBS, config->sum, "RepoTags", tags,
			 "Layers", BLOBS, layer->packed);
}

/* ---- the archive that it is in ---- */

static la_ssize_t on_write(struct archive *archive, void *arg, const void *data, size_t len)
{
	struct strbuf *sb = arg;

	(void)archive;
	strbuf_add(sb, data, len);
	return sb->failed ? -1 : (la_ssize_t)len;
}

/* Of an entry whose data libarchive makes up as zeros, the header alone. */
static la_ssize_t on_write_head(struct archive *archive, void *arg, const void *data, size_t len)
{
	struct strbuf *sb = arg;

	return sb->len < EXPORT_IMAGE_HEAD ? on_write(archive, arg, data, len) : (la_ssize_t)len;
}

/* This format has every size in one header block, whatever it is. */
static struct archive *tar_into(struct strbuf *sb, archive_write_callback *write)
{
	struct archive *a = archive_write_new();

	if (a) {
		archive_write_set_format_gnutar(a);
		archive_write_set_bytes_per_block(a, 0);
		archive_write_open(a, sb, NULL, write, NULL);
	}
	return a;
}

static int add_header(struct export *x, struct archive *a, const char *dir, const char *name,
		      uint64_t size)
{
	char path[sizeof(BLOBS) + SUM_HEX];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	archive_entry_clear(x->entry);
	archive_entry_copy_pathname(x->entry, path);
	archive_entry_set_mode(x->entry, S_IFREG | 0644);
	archive_entry_set_size(x->entry, (la_int64_t)size);
	archive_entry_set_mtime(x->entry, made_at(x), 0);
	return archive_write_header(a, x->entry) < ARCHIVE_WARN ? -ENOMEM : 0;
}

static int add_blob(struct export *x, struct archive *a, const char *name, const struct blob *b)
{
	int r = name ? add_header(x, a, "", name, b->len) : add_header(x, a, BLOBS, b->sum, b->len);

	if (r == 0 && archive_write_data(a, b->text, b->len) != (la_ssize_t)b->len)
		r = -ENOMEM;
	return r;
}

static int put_head(struct export *x, int fd, const struct export_layer *layer)
{
	_cleanup_(strbuf_free) struct strbuf head = { 0 };
	struct archive *a = tar_into(&head, on_write_head);
	int r = a ? add_header(x, a, BLOBS, layer->packed, layer->size) : -ENOMEM;

	if (r == 0 && head.len != EXPORT_IMAGE_HEAD)
		r = -EIO;
	if (r == 0 && pwrite(fd, head.buf, head.len, 0) != EXPORT_IMAGE_HEAD)
		r = errno ? -errno : -EIO;
	archive_write_free(a);
	return r;
}

/* The small parts, of which each names others by their sums. */
static int add_parts(struct export *x, struct archive *a, const struct export_layer *layer)
{
	_cleanup_blob_ struct blob config = { 0 }, manifest = { 0 }, index = { 0 }, layout = { 0 },
				   legacy = { 0 };
	int r;

	if (blob_make(&config, config_json(x, layer)) < 0 ||
	    blob_make(&manifest, manifest_json(x, &config, layer)) < 0 ||
	    blob_make(&index, index_json(x, &manifest)) < 0 ||
	    blob_make(&layout, json_pack("{s:s}", "imageLayoutVersion", "1.0.0")) < 0 ||
	    blob_make(&legacy, legacy_json(x, &config, layer)) < 0)
		return -ENOMEM;
	r = add_blob(x, a, NULL, &config);
	if (r == 0 && x->opts->format == INSP_EXPORT_OCI) {
		r = add_blob(x, a, NULL, &manifest);
		if (r == 0)
			r = add_blob(x, a, "index.json", &index);
		if (r == 0)
			r = add_blob(x, a, "oci-layout", &layout);
	}
	return r < 0 ? r : add_blob(x, a, "manifest.json", &legacy);
}

static int put_tail(struct export *x, int fd, const struct export_layer *layer)
{
	static const char zeros[512];
	_cleanup_(strbuf_free) struct strbuf tail = { 0 };
	struct archive *a;
	int r;

	strbuf_add(&tail, zeros, (size_t)(-layer->size % 512));
	a = tar_into(&tail, on_write);
	r = a ? add_parts(x, a, layer) : -ENOMEM;
	if (r == 0 && archive_write_close(a) < ARCHIVE_WARN)
		r = -ENOMEM;
	archive_write_free(a);
	if (r == 0)
		r = io_write_all(fd, tail.buf, tail.len);
	return r;
}

int export_image(struct export *x, int fd, const struct export_layer *layer)
{
	int r = put_tail(x, fd, layer);

	errno = 0;
	if (r == 0)
		r = put_head(x, fd, layer);
	return r < 0 ? insp_err_set(x->err, r, "write the image") : 0;
}
