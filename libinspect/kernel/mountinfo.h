/*
 * /proc/PID/mountinfo. proc(5). Octal escapes (\040 \011 \012 \134) are undone, but for super_options: there
 * a comma inside a value (\054) has to stay different from one between two options. mountinfo_overlay() undoes
 * them, and overlay's own backslash escapes.
 */
#ifndef SONDE_KERNEL_MOUNTINFO_H
#define SONDE_KERNEL_MOUNTINFO_H

#include "libinspect/kernel/sys.h"

struct mount_entry {
	int id, parent;
	unsigned major, minor;
	char *root, *target, *options, *fstype, *source, *super_options;
};
struct mount_table {
	struct mount_entry *items;
	size_t n;
	char *buf; /* the entries' strings point into it */
};
void mount_table_free(struct mount_table *t);
#define _cleanup_mount_table_ _cleanup_(mount_table_free)

/* Parses (buf, len); lines that make no sense are left out. */
int mountinfo_parse(const char *buf, size_t len, struct mount_table *ret);
/* pid 0: of this process. */
int mountinfo_read(const struct insp_sys *sys, pid_t pid, struct mount_table *ret,
		   struct insp_err *err);
/* Undoes octal escapes in place; returns the new length. */
size_t mountinfo_unescape(char *s, size_t len);
/* The entry that is mounted on target last (the visible one); NULL: none. */
const struct mount_entry *mountinfo_find(const struct mount_table *t, const char *target);

/*
 * Overlay's layers from super_options: lowerdir (colon separated; "lowerdir+=" of 6.8; escapes \: and \, undone),
 * upperdir. Relative paths stay relative: they are relative to the mounter's working directory, which the
 * kernel does not tell. Topmost layer first; data-only layers last. *ret_upper NULL: read-only.
 * Strings: free each, and the array. -EINVAL: no overlay.
 */
int mountinfo_overlay(const struct mount_entry *m, char ***ret_lowers, size_t *ret_n,
		      char **ret_upper);

#endif
