/* Inside rootfs/: the parts of an export. */
#ifndef SONDE_ROOTFS_EXPORT_H
#define SONDE_ROOTFS_EXPORT_H

#include "libinspect/base/sum.h"
#include "libinspect/rootfs/links.h"
#include "libinspect/rootfs/rootfs.h"
#include "libinspect/rootfs/volumes.h"
#include "libinspect/rootfs/walk.h"

#include <archive.h>
#include <archive_entry.h>

#define EXPORT_BLOCK ((size_t)1024 * 1024) /* what is read and written at once */

/* ---- where the bytes go (export-out.c) ---- */

/* Free with export_out_close(). */
struct export_out {
	int fd;	   /* the caller's */
	char *buf; /* EXPORT_BLOCK: what is not written yet */
	size_t len;
	struct archive *packer; /* compresses; NULL: nothing does */
	uint64_t taken;		/* bytes that were handed in */
	uint64_t given;		/* bytes for fd: the same unless there is a packer */
	bool summed;
	struct sha256_ctx plain, packed; /* of both, when summed; packed only with a packer */
	int error;			 /* the first -errno of a write */
};
/* -ENOMEM. Pipes are made as large as a block, where that is allowed. */
int export_out_open(struct export_out *out, int fd, bool summed);
/* Compresses all that follows. -EOPNOTSUPP: this libarchive cannot. */
int export_out_pack(struct export_out *out, enum insp_export_filter filter);
void export_out_close(struct export_out *out);
int export_out_write(struct export_out *out, const void *data, size_t len);
/* All is written now. */
int export_out_finish(struct export_out *out);

/* ---- the data of one file (export-data.c) ---- */

struct export_extent {
	uint64_t offset, len;
};
/* Where a file has data. Free extents with free(). */
struct export_map {
	uint64_t size;
	struct export_extent *extents;
	size_t n;
	bool sparse; /* else it is all data, and there are no extents */
};
/*
 * What fd, of size bytes, holds. At most EXPORT_EXTENTS_MAX extents: small holes of a file that has more count as data. A
 * file system that does not tell has none.
 */
#define EXPORT_EXTENTS_MAX 8192
int export_map_read(int fd, uint64_t size, struct export_map *ret);

/* ---- all of it (export.c, export-entry.c) ---- */

struct export
{
	struct insp_files *files;
	const struct insp_export_opts *opts;
	struct archive *archive;
	struct archive_entry *entry; /* used for each file anew */
	struct export_out out;
	struct links links;	/* the names that files with more to come were exported under */
	struct volumes volumes; /* n 0: none are wanted */
	unsigned char *volumes_done; /* of each: 0: it was not come by */
	char *block;		     /* EXPORT_BLOCK of file data */
	const char *zeros;	     /* EXPORT_ZEROS bytes of no memory, for holes */
	size_t skip;		     /* what of a file's path is not in its name */
	uint64_t n_files;
	struct insp_err *err;
};
#define EXPORT_ZEROS ((size_t)1024 * 1024 * 1024)

/* Adds one file. What cannot be read is a diagnostic; < 0: nothing more can be written. */
int export_file(struct export *x, const struct walk_file *f);
/* A diagnostic about path: "export '/etc/x': …". */
void export_warn(struct export *x, int error, const char *path, const char *what);
/* libarchive's refusal as an error. */
int export_archive_failed(struct export *x, const char *what);
/* The data that the entry's header has announced. */
int export_data(struct export *x, int fd, const struct export_map *map, const char *path);
/* An empty file of that name; a directory as an engine makes one that is missing. */
int export_empty(struct export *x, const char *name);
int export_dir(struct export *x, const char *name);
/* A directory, which is at path, and what is in it. What cannot be read is a diagnostic. */
int export_tree(struct export *x, const struct view_dir *dir, const char *path);
/* Calls the caller's progress(). */
int export_tell(struct export *x, const char *path);

/* ---- volumes (export-volumes.c) ---- */

/* x->volumes, where they are wanted. -ENOMEM, or why the running container cannot be looked into (x->err). */
int export_volumes_open(struct export *x);
void export_volumes_close(struct export *x);
/* What is mounted on a file that a walk came by; NULL: nothing. */
const struct volume *export_volume_at(const struct export *x, const struct walk_file *f);
/* Adds it in that file's stead. WALK_SKIP, or < 0: nothing more can be written. */
int export_volume(struct export *x, const struct walk_file *f, const struct volume *v);
/* Those at and below path are left out. */
void export_volumes_skip(struct export *x, const char *path);
/* For a walk's leave(): those that belong into the directory and were not come by. */
int export_volumes_leave(const struct walk_file *f, void *arg);
/* Says which were removed meanwhile. */
void export_volumes_check(struct export *x);

/* ---- changes, images (export-upper.c, export-image.c) ---- */

#define EXPORT_WH ".wh." /* what layers call deleted files: nothing else may be called so in one */
/* Whether what is written is a layer, and not just an archive. */
static inline bool export_is_layer(const struct export *x)
{
	return x->opts->upper || x->opts->format != INSP_EXPORT_TAR;
}
/* The files that changed, and marks of those that are deleted. */
int export_upper(struct export *x);

/* A layer that was written. */
struct export_layer {
	uint64_t size;
	char plain[SUM_HEX], packed[SUM_HEX]; /* the same when it is not compressed */
};
/* The bytes before the layer: of the archive that an image is, its first header. */
#define EXPORT_IMAGE_HEAD 512
/*
 * Makes an image of the layer in fd at EXPORT_IMAGE_HEAD, where fd stands behind it: puts its header before it, and the rest
 * of the image behind it.
 */
int export_image(struct export *x, int fd, const struct export_layer *layer);

#endif
