/* Which processes belong to a container: by its own cgroup, else by the namespace that is its own. */
#ifndef SONDE_RESOLVE_MEMBERS_H
#define SONDE_RESOLVE_MEMBERS_H

#include "libinspect/kernel/pid.h"

/*
 * Pids of the container id whose init is given, ascending. Some may be gone already. *ret: free(). Returns how
 * many, or -errno.
 */
ssize_t members_of(struct insp_sys *sys, const char *id, const struct insp_pid *init, pid_t **ret);

#endif
