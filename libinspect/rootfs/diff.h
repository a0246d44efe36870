/* Inside rootfs/: two sides compared. */
#ifndef SONDE_ROOTFS_DIFF_H
#define SONDE_ROOTFS_DIFF_H

#include "libinspect/rootfs/rootfs.h"

/* One side: layers of files, or of the tree that it began as. */
struct diff_side {
	const struct insp_files *files;
	struct view view; /* borrows the layers */
	size_t first;	  /* the number of its uppermost one among those of files */
	bool is_base;	  /* they are of files->base */
};

/* A file on one side. dir NULL: there is none. */
struct diff_file {
	const struct view_dir *dir;
	const char *name;
	struct view_node node;
};

struct insp_change_at {
	const struct diff_side *sides;
	const struct diff_file *files; /* both by enum insp_side */
};

/*
 * What differs between two files that both exist: INSP_CHANGED_* bits in *ret. flags: enum insp_diff_flags. A file that
 * is gone meanwhile differs in nothing more.
 */
int diff_compare(const struct diff_file files[2], unsigned flags, unsigned *ret);

/*
 * Whether an added file may be one that engines put into every container's changes: a mount point of what they mount
 * there (a directory is one if nothing else is in it), or a link to the kernel's list of mounts. path: where it is.
 */
bool diff_is_engines(const char *path, const struct diff_file *file);

/* Which paths are asked for. Free with diff_scope_clear(). */
struct diff_scope {
	const struct insp_diff_opts *opts;
	char **paths; /* those of opts without links */
	size_t n_paths;
};
int diff_scope_init(const struct diff_side sides[2], const struct insp_diff_opts *opts,
		    struct diff_scope *ret, struct insp_err *err);
void diff_scope_clear(struct diff_scope *scope);

enum diff_scope_answer {
	DIFF_SCOPE_OUT,	 /* nor is anything below */
	DIFF_SCOPE_PASS, /* not itself, but something below may be */
	DIFF_SCOPE_IN,
};
/* name: path's last component. */
enum diff_scope_answer diff_scope_of(const struct diff_scope *scope, const char *path,
				     const char *name);

#endif
