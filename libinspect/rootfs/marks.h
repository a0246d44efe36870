/* Inside rootfs/: what a layer says about what is below it. */
#ifndef SONDE_ROOTFS_MARKS_H
#define SONDE_ROOTFS_MARKS_H

#include "libinspect/rootfs/view.h"

/* Whether a file that was looked at is a whiteout: a character device 0:0. */
bool marks_is_whiteout(unsigned marks, const struct stat *st);
/*
 * Overlay's whiteout for where no device can be made (Linux 6.7): an empty file with an attribute. The kernel looks for it
 * at every empty file that is looked up, but in a list only where the directory says so (MARKS_XWHITEOUTS).
 */
bool marks_is_xwhiteout(unsigned marks, int dirfd, const char *name, const struct stat *st);

/* The name that a file of this name deletes (".wh.NAME"), NULL: it is an ordinary one. */
const char *marks_deletes(unsigned marks, const char *name);
/* Whether there is such a name for name: it deletes that of its own layer, too. */
bool marks_is_deleted_by_name(unsigned marks, int dirfd, const char *name);
/* Whether the name is a layer's own and never shown. */
bool marks_is_own(unsigned marks, const char *name);

enum marks_opaque {
	MARKS_SEE_THROUGH,
	MARKS_OPAQUE,	  /* nothing below it counts */
	MARKS_XWHITEOUTS, /* see through, but it holds whiteouts that are files */
};
enum marks_opaque marks_opaque(unsigned marks, int dirfd);
/*
 * Where the lower part of a renamed directory (or of the data of a file) is: one name beside it, or an absolute path
 * from the layers' root. fd: the directory or file. A new string; NULL: it is not redirected. -EBADMSG for what cannot
 * be one ("..", empty components).
 */
int marks_redirect(unsigned marks, int fd, char **ret);
/* Whether the attribute's bytes are one: a name, or an absolute path of names, none of them "." or "..". */
bool marks_redirect_is_sound(const char *value, size_t len);
/* Whether the data of the regular file fd is further down. */
bool marks_is_metacopy(unsigned marks, int fd);

/*
 * The name under which the container sees the attribute: itself, another, or NULL for a layer's mark. Never longer than
 * the given one; buf has room for it.
 */
const char *marks_xattr_name(unsigned marks, const char *name, char *buf, size_t size);

#endif
