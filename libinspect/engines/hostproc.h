/*
 * Programs of this host that hold a container: their arguments say which, and their child is its init. Any process may
 * call itself anything, so before arguments are believed it is told apart who runs it and where.
 */
#ifndef SONDE_ENGINES_HOSTPROC_H
#define SONDE_ENGINES_HOSTPROC_H

#include "libinspect/base/io.h"
#include "libinspect/engines/engine.h"

struct hostproc {
	pid_t pid;
	uint64_t start;
	uid_t owner; /* real and effective uid: a set-uid program's arguments are its caller's */
	/*
	 * What to put before its paths to have them on this host: "", or the directory of a chroot. NULL: it has mounts
	 * of its own, its paths need not be this host's.
	 */
	char *prefix;
};
void hostproc_free(struct hostproc *p);
#define _cleanup_hostproc_ _cleanup_(hostproc_free)

/*
 * Looks at a process: 1 when it is in this host's pid and user namespace and its real and effective uid are the same;
 * 0: it is not, or gone. Not by the owner of /proc/PID, which is root for whatever is not dumpable. -ENOMEM.
 */
int hostproc_read(const struct insp_sys *sys, pid_t pid, struct hostproc *ret);
/* Whether it is still the process that was looked at. */
bool hostproc_same(const struct insp_sys *sys, const struct hostproc *p);
/* Its arguments, NUL-separated; a user's process may stall, and then this is -ETIMEDOUT. */
int hostproc_args(struct insp_sys *sys, const struct hostproc *p, struct io_buf *ret);
/*
 * Its child that is in another mount or pid namespace than the host's; the one that is pid 1 of its namespace where
 * there are several. A process only gets a parent in the host's pid namespace by being made there. 1, 0: none, -ENOMEM.
 */
int hostproc_container(struct engine_scan *scan, const struct hostproc *p, pid_t *ret_pid,
		       uint64_t *ret_start);

#endif
