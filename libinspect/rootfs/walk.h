/* Inside rootfs/: every file of a view, each directory before what is in it. */
#ifndef SONDE_ROOTFS_WALK_H
#define SONDE_ROOTFS_WALK_H

#include "libinspect/rootfs/view.h"

/* A file as it is come by; good until the callback returns. */
struct walk_file {
	const char *path; /* absolute inside the view, raw bytes of any length */
	const char *name; /* the last component; "." for the directory that the walk began with */
	const struct view_dir *dir; /* the directory that name is in */
	const struct view_node *node;
	unsigned depth; /* 0: what the walk began with */
};

enum {
	WALK_SKIP = 1, /* what is in this directory is left out, leave() too */
};
struct walk {
	/* Each file. 0, WALK_SKIP, or < 0: the walk ends with it. */
	int (*enter)(const struct walk_file *f, void *arg);
	/* Each directory, after what is in it. May be NULL. 0 or < 0. */
	int (*leave)(const struct walk_file *f, void *arg);
	/*
	 * A file or directory that could not be looked at (gone meanwhile is none: -ENOENT is passed over). 0: go on, < 0:
	 * the walk ends with it.
	 */
	int (*failed)(const char *path, int error, void *arg);
	void *arg;
};

/*
 * Walks the directory dir, which is at path ("/"), whole: names by bytes in each directory. A directory that is one of its own
 * ancestors (a loop of bind mounts) is given to failed() with -ELOOP. Holds a few file descriptors a level; -EMFILE is given
 * to failed() where they are out.
 */
int walk_tree(const struct view_dir *dir, const char *path, const struct walk *walk);

#endif
