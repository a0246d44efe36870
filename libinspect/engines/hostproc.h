/*
 * Processes of this host that an engine left running: daemons and monitors, whose arguments say where a store is or which
 * container is their child. Any process may call itself anything, so this is the one place that tells which of them may
 * be believed, and for whom: one in this host's pid namespace, whose real and effective uid are the same, and which
 * is in this host's user namespace (root's with CAP_SYS_ADMIN), or in one that its uid owns and then speaks for that user
 * alone.
 */
#ifndef SONDE_ENGINES_HOSTPROC_H
#define SONDE_ENGINES_HOSTPROC_H

#include "libinspect/base/io.h"
#include "libinspect/engines/engine.h"

struct hostproc {
	pid_t pid;
	uint64_t start;
	uid_t owner;   /* real and effective uid: a set-uid program's arguments are its caller's */
	bool rootless; /* in a user namespace of owner's; owner is not root */
	/*
	 * What to put before its paths to have them on this host: "", or the directory of a chroot. NULL: it has mounts
	 * of its own, its paths need not be this host's; for a rootless one it is not looked for.
	 */
	char *prefix;
};
void hostproc_free(struct hostproc *p);
#define _cleanup_hostproc_ _cleanup_(hostproc_free)

/*
 * Looks at a process: 1 when it may be believed, 0: it may not, or is gone. -ENOMEM. The owner of /proc/PID does not do:
 * it is the effective uid, and that of most files in it is root for whatever is not dumpable.
 */
int hostproc_read(const struct insp_sys *sys, pid_t pid, struct hostproc *ret);
/* The same for one that only counts when it is root's and its paths are known: prefix is set. */
int hostproc_read_root(const struct insp_sys *sys, pid_t pid, struct hostproc *ret);
/* Whether it is still the process that was looked at. */
bool hostproc_same(const struct insp_sys *sys, const struct hostproc *p);
/*
 * Its arguments, NUL-separated; -ESRCH when it is not the process any more that was looked at. A user's process may
 * stall, and then this is -ETIMEDOUT.
 */
int hostproc_args(struct insp_sys *sys, const struct hostproc *p, struct io_buf *ret);
/*
 * Its child that is in another mount or pid namespace than the host's; the one that is pid 1 of its namespace where
 * there are several. A process only gets a parent in the host's pid namespace by being made there. 1, 0: none, -ENOMEM.
 */
int hostproc_container(struct engine_scan *scan, const struct hostproc *p, pid_t *ret_pid,
		       uint64_t *ret_start);

#endif
