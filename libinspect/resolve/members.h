/* Which processes belong to a container: by its own cgroup, else by the namespace that is its own. */
#ifndef SONDE_RESOLVE_MEMBERS_H
#define SONDE_RESOLVE_MEMBERS_H

#include "libinspect/kernel/pid.h"

/*
 * Pids of the container id whose init is given, ascending. Some may be gone already. *ret: free(). Returns how
 * many, or -errno.
 */
ssize_t members_of(struct insp_sys *sys, const char *id, const struct insp_pid *init, pid_t **ret);

/*
 * The length of a cgroup path up to and with its last component that carries id: what lies below belongs to the container
 * too ("docker-ID.scope/container", a systemd inside). 0: none.
 */
size_t members_own_part(const char *path, const char *id);
/* The namespace that sets a container apart: its pid namespace, else the first that is not the host's. false: none is. */
bool members_namespace(const struct insp_sys *sys, const struct insp_pid *init,
		       enum insp_ns_type *ret_type, uint64_t *ret_ino);
/* Whether the pid namespace of process pid is ino, or inside it at any depth. */
bool members_in_pid_ns(const struct insp_sys *sys, pid_t pid, uint64_t ino);

#endif
