/* Inside rootfs/: what the path of one side of a copy names. */
#ifndef SONDE_ROOTFS_COPY_END_H
#define SONDE_ROOTFS_COPY_END_H

#include "libinspect/rootfs/copy.h"
#include "libinspect/rootfs/volumes.h"

/* Free with copy_end_close(). */
struct copy_end {
	struct view
		own; /* where the files have no view that fits: the host's, or one that can be written to */
	struct volumes volumes;	 /* of a stopped container */
	const struct view *view; /* that at is in */
	struct path_at at;
	char *label;   /* for messages: "web:/etc", "./x" */
	char *base;    /* what a copy of it is called in a directory; NULL: the root has no name */
	bool contents; /* the path ends in "/.": what is in the directory, not it */
};
void copy_end_close(struct copy_end *end);
#define _cleanup_copy_end_ _cleanup_(copy_end_close)

/* These fill a zeroed end where it lies: it is not to be moved. */
/* The source; follow: its last component's link, too. It must be there. */
int copy_end_source(const struct insp_copy_side *side, bool follow, struct copy_end *end,
		    struct insp_err *err);
/* The destination, which may be missing; the directory above it may not. */
int copy_end_destination(const struct insp_copy_side *side, struct copy_end *end,
			 struct insp_err *err);

/* Whether it is there and a directory. */
bool copy_end_is_dir(const struct copy_end *end);
/* The directory that it names, which copy_end_is_dir() said it does. */
int copy_end_enter(const struct copy_end *end, struct view_dir *ret);
/*
 * The directory that it is in (itself where it has no name), with those above it as far as they may have to be made.
 * Free each of them: copy_chain_free().
 */
int copy_end_into(struct copy_end *end, struct copy_into **ret);
void copy_chain_free(struct copy_into *into);

/* The archive that fd gives, into the destination (copy-tar.c). */
int copy_untar(struct copy *c, int fd, struct copy_end *dst, struct insp_diags *diags,
	       struct insp_err *err);

/* ---- copy-tree.c ---- */

struct copy_tree {
	struct copy *c;
	const struct copy_end *src, *dst;
	const char *
		name; /* what the source is called at the destination; NULL: what is in it goes there */
	const char *to; /* where that is, in a container: absolute */
	struct insp_diags *diags;
	struct insp_err *err;
	/* private: levels[i] is where what is at depth i + 1 goes */
	struct copy_into **levels;
	size_t n, cap;
	size_t below; /* the depth that the walk in a volume began at */
};
/* What is in the directory goes to into, which stays the caller's and is whole afterwards. */
int copy_tree(struct copy_tree *t, const struct view_dir *dir, struct copy_into *into);
/*
 * The volume that is mounted at base and path behind it, as the directory name of into. 0: there is none; 1: *ret is it;
 * < 0: it is not to be written to.
 */
int copy_volume_enter(const struct copy_end *end, const char *base, const char *path,
		      struct copy_into *into, const char *name, struct copy_into **ret);

#endif
