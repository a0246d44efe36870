/*
 * Opening what lies on a file system that may never answer (NFS whose server is gone, FUSE): whoever opens waits in the
 * kernel, beyond the reach of SIGKILL. So a forked child opens, makes sure that the file system answers now, and hands the
 * descriptor over. One that is late is killed and left behind.
 */
#ifndef SONDE_BASE_SLOWOPEN_H
#define SONDE_BASE_SLOWOPEN_H

#include "libinspect/base/io.h"

struct slowopen;
/* rootfd is borrowed for as long as it lives. NULL when memory is out. */
struct slowopen *slowopen_new(int rootfd, unsigned deadline_ms);
struct slowopen *slowopen_free(struct slowopen *s); /* returns NULL */

/* The file system of what was opened, as in mountinfo. */
struct slowopen_dev {
	unsigned major, minor;
};
/*
 * path below the root, with flags as insp_open_in_root(), or for SLOWOPEN_REGULAR as insp_open_regular_in_root(). fd or
 * -errno; -ETIMEDOUT: no answer, or there were too many of those; -EAGAIN, -EPIPE: no child could be had.
 */
#define SLOWOPEN_REGULAR (-1)
int slowopen_open(struct slowopen *s, const char *path, int flags, struct slowopen_dev *ret_dev);

#endif
