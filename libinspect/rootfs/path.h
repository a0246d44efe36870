/* Inside rootfs/: a path of the container, links included, looked up inside its view. */
#ifndef SONDE_ROOTFS_PATH_H
#define SONDE_ROOTFS_PATH_H

#include "libinspect/rootfs/view.h"

/* Where a path leads: a name in a merged directory. Free with path_at_close(). */
struct path_at {
	struct view_dir dir;
	char *name; /* one component; NULL: the directory itself (the path was "/", or ended in "/", ".", "..") */
	char *path; /* absolute, without links, "." and ".." ("/etc/hosts"): where name, or dir, is */
	bool exists; /* else only the last component is missing */
	bool slash;  /* the path ended in one, or in "/.": what it names must be a directory */
	struct view_node node; /* with name and exists */
};
void path_at_close(struct path_at *at);
#define _cleanup_path_at_ _cleanup_(path_at_close)

enum path_flags {
	PATH_FOLLOW = 1 << 0, /* the last component's link, too */
};
/*
 * Resolves path (absolute, or relative to the root) as a process chrooted into the view would. -ENOENT: a directory on the
 * way is missing; -ENOTDIR, -ELOOP (40 links, as the kernel), -ENAMETOOLONG: a component above NAME_MAX. A path of any
 * length is taken. A directory that is the last component is not entered: name is set, and node says what it is.
 */
int path_resolve(const struct view *v, const char *path, unsigned flags, struct path_at *ret);

/*
 * Whether one of the patterns says that the file is left out: one with a slash is matched with the whole path, which begins with
 * one, another with the name alone, its last component.
 */
bool path_is_excluded(const char *const *globs, size_t n, const char *path, const char *name);

#endif
