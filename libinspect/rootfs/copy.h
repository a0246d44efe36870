/*
 * Inside rootfs/: copying into and out of containers. What is written goes below directory fds that are held, one
 * component at a time, and never through a link; a file gets its name when it is whole.
 *
 * The destination is a view as well, whose uppermost layer can be written to: the host's or a running container's
 * tree is a view of one layer. Of several layers (overlay, the container stopped) only that one is written to, and a
 * directory that it lacks is made in it first, as the one below is: what overlayfs calls copy-up
 * (fs/overlayfs/copy_up.c, dir.c).
 */
#ifndef SONDE_ROOTFS_COPY_H
#define SONDE_ROOTFS_COPY_H

#include "libinspect/kernel/idmap.h"
#include "libinspect/rootfs/links.h"
#include "libinspect/rootfs/path.h"
#include "libinspect/rootfs/rootfs.h"
#include "libinspect/rootfs/walk.h"

/* A name that nothing else has, until what it stands for is whole. */
#define COPY_TEMP_MAX 32

/* The ids of one side's user namespace. */
struct copy_ids {
	bool mapped; /* else inside is outside */
	struct idmap uids, gids;
};

/* What a file has besides its data. */
struct copy_meta {
	mode_t mode;
	uid_t uid; /* as the host counts */
	gid_t gid;
	struct timespec times[2]; /* atime, mtime */
};

struct copy {
	const struct insp_copy_opts *opts;
	struct insp_copy_result *result;
	struct copy_ids from, to;
	unsigned
		to_marks; /* the destination's, where it has layers below the one that is written to */
	uid_t owner_uid; /* of what is made, unless ids are kept; as the host counts */
	gid_t owner_gid;
	bool keep_ids;
	bool no_set_ids; /* whose a program was is not who it would be now */
	bool no_clone; /* the pair of file systems could not; a large file may be of another pair */
	char *buf;     /* COPY_BUF bytes, made when first used */
	struct links
		links; /* files with several names that were made; paths below the directory that the copy began in */
	/* the directory that was made first: not to be copied into itself */
	dev_t made_dev;
	ino_t made_ino;
};
#define COPY_BUF ((size_t)256 * 1024)
void copy_clear(struct copy *c);
#define _cleanup_copy_ _cleanup_(copy_clear)

/* -EINTR when the caller wants it to end. */
int copy_stopped(const struct copy *c);
/* Whether an error ends the copy: the next file would fail just so. */
bool copy_is_final(int error);
/* insp_err_set(), in words where strerror() would not be understood. */
int copy_err_set(struct insp_err *err, int error, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));

/* ---- copy-data.c ---- */

/*
 * The data of in, which has size bytes, to the empty file out: by reflink where that can be had, else in the kernel
 * (copy_file_range, sendfile), else through memory, where small files go at once; holes stay holes. What the file has grown by meanwhile is left out; of one that shrank, what is left.
 */
int copy_data(struct copy *c, int in, int out, const struct stat *st);

/* ---- copy-attrs.c ---- */

/*
 * How ids of files' view are those inside (of layers: they are), or with written, the view that is written to, those in it:
 * as the host counts, or as its uppermost layer does. files may be NULL: the host.
 */
void copy_ids_of(const struct insp_files *files, const struct view *written, struct copy_ids *ret);
/* What st's file gets at the destination. */
void copy_meta_of(const struct copy *c, const struct stat *st, struct copy_meta *ret);
/* To an open file or directory. */
int copy_meta_apply(int fd, const struct copy_meta *m);
/* To a link, FIFO or device by its name, which was just made there; -ESTALE: it is not that one any more. */
int copy_meta_apply_at(int dirfd, const char *name, const struct copy_meta *m);
/*
 * The attributes of the file that are copied, to fd. fd_in: the same file opened, or -EBADF.
 */
int copy_xattrs(const struct copy *c, const struct view_dir *dir, const char *name,
		const struct view_node *node, int fd_in, int fd);
/* Whether an attribute of that name is copied. */
bool copy_xattr_is_copied(const struct copy *c, const char *name);
/* One attribute that the container is to see as name, in the form that the destination's layer has it. */
int copy_xattr_set(unsigned marks, int fd, const char *name, const void *value, size_t len);

/* ---- copy-links.c ---- */

struct copy_from;
/* Remembers that the source's file was made as name in dirfd, which is path below the copy's base. -ENOMEM. */
int copy_links_add(struct copy *c, const struct copy_from *from, int dirfd, const char *name,
		   const char *path);
struct copy_into;
/*
 * Gives the file, found again below base, the name newname in dirfd, which is into's. -ESTALE: it is not there any more.
 */
int copy_links_make(int base, const struct link *link, struct copy_into *into, int dirfd,
		    const char *newname);

/* ---- copy-into.c: a directory that is written to ---- */

struct copy_into {
	struct copy_into *up;
	struct view_dir dir;	  /* as the container sees it */
	char *name;		  /* in up; NULL: the root */
	char temp[COPY_TEMP_MAX]; /* what it is called until it is whole; "": it has its name */
	bool fresh;		  /* made by this copy: whatever is in it was put there by it */
	bool opaque;		  /* it replaces a whiteout */
	bool swap;		  /* there is a whiteout under its name */
};
/*
 * Takes ownership of dir and name, also on failure (NULL: -ENOMEM). up stays the caller's and must live longer.
 */
struct copy_into *copy_into_new(struct copy_into *up, struct view_dir *dir, const char *name);
/* Only this one, not those above. What was made under a temporary name and never placed is removed with all that is in it. */
void copy_into_free(struct copy_into *into);

/*
 * Its fd in the layer that is written to; made there first where only layers below have it. The object's. -EACCES: the
 * container itself could not write to it.
 */
int copy_into_fd(struct copy_into *into);
/* The same where its owner, mode and attributes are to be changed. -EACCES: that is not the container's to do. */
int copy_into_own_fd(struct copy_into *into);
/* -ENOENT: there is nothing by that name (a whiteout is nothing). */
int copy_into_lookup(struct copy_into *into, const char *name, struct view_node *ret);
/* The directory name that is there. */
int copy_into_enter(struct copy_into *into, const char *name, const struct view_node *node,
		    struct copy_into **ret);
/* A new one, where nothing is. Its attributes are set with copy_dir_attrs(), when it is full. */
int copy_into_mkdir(struct copy_into *into, const char *name, struct copy_into **ret);
/* The new directory is whole: it gets its name. */
int copy_into_place(struct copy_into *into);

/*
 * How to make what is to be called name: temp receives the name to make it under. copy_into_place_file() gives it its own, over
 * what is there, which is no directory; copy_into_drop() removes it. -EBUSY: something is mounted on name.
 */
int copy_into_begin(struct copy_into *into, const char *name, char temp[NAME_MAX + 1],
		    int *ret_dirfd);
int copy_into_place_file(struct copy_into *into, const char *temp, const char *name);
void copy_into_drop(struct copy_into *into, const char *temp);

/* ---- copy-node.c: one file ---- */

/* What is copied. */
struct copy_from {
	const struct view_dir *dir;
	const char *name;
	const struct view_node *node;
};
unsigned copy_from_layer(const struct copy_from *from);
/*
 * The file (no directory) as name in into. path: below the directory base, for its other names. 0; 1: it was left out,
 * a socket or a device that is not asked for.
 */
int copy_node(struct copy *c, const struct copy_from *from, struct copy_into *into, int base,
	      const char *name, const char *path);
/* Whether a file of that type is; and counts it. */
bool copy_is_left_out(struct copy *c, mode_t mode);
/* A link, FIFO or device; target: a link's. */
int copy_make_special(const struct copy *c, mode_t mode, dev_t rdev, const char *target, int dirfd,
		      const char *name);
/* Another name for a regular file of the destination, or a copy where it is not in the layer that is written to. */
int copy_node_again(struct copy *c, const struct copy_from *from, int dirfd, const char *name);
/* The attributes of the directory, when everything is in it. */
int copy_dir_attrs(const struct copy *c, const struct copy_from *from, struct copy_into *into);

#endif
