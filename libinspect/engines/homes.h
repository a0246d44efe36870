/*
 * Opening what is in a user's home, or where a user's files lead. Homes lie on NFS and FUSE more than anything else does,
 * and one dead server must not make a list wait for ever. Where the mount table has no file system that could, this costs
 * nothing; else a child with a deadline opens (slowopen.h). One that does not answer is noted once, and not asked again.
 *
 * What is opened is read as any other directory: a server that dies just then, or a mount below it, is not defended against.
 */
#ifndef SONDE_ENGINES_HOMES_H
#define SONDE_ENGINES_HOMES_H

#include "libinspect/engines/engine.h"

/*
 * path of this host, by the word of user uid (0: root's, which is opened as ever); flags of open(2). fd or -errno: -ETIMEDOUT for
 * what does not answer, -EPERM for a FUSE file system that another user but root serves, both noted.
 */
int homes_open(struct engine_scan *scan, uid_t uid, const char *path, int flags);
int homes_open_dir(struct engine_scan *scan, uid_t uid, const char *path);
/* A regular file, to be read: -EBADF for anything else, as insp_open_regular_in_root(). */
int homes_open_file(struct engine_scan *scan, uid_t uid, const char *path);

/* Whether opening something on that mount could take for ever, for a caller with this effective uid. */
bool homes_may_stall(const struct mount_entry *m, uid_t euid);

#endif
