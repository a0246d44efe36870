/* A container that does not run: its files mounted for the session alone, and namespaces that are nobody else's. */
#ifndef SONDE_SIDECAR_STOPPED_H
#define SONDE_SIDECAR_STOPPED_H

#include "sidecar/mounts.h"

/* ---- keep.c: the directory of --keep-changes ---- */

/*
 * In the front: made if it is missing, and locked while *ret_fd is open (-1: none is wanted). -EEXIST: what is in it are not
 * the changes of this container; -EBUSY: another session has it.
 */
int keep_open(const struct sidecar_plan *plan, int *ret_fd, struct insp_err *err);
/*
 * In an open directory: makes what is missing, and the mark whose changes they are. -EEXIST: they are another's, or it has
 * something else in it; -EPERM: others may write to it.
 */
int keep_prepare(int dirfd, const char *mark);
/* The same directory in the mount namespace that this process is in now. */
int keep_again(const struct sidecar_plan *plan, int fd, int *ret_fd, struct insp_err *err);

/* ---- stopped.c: in the builder ---- */

/* In its own mount namespace, before its root is covered: m->tree and m->sys. */
int stopped_mount(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/* Its volumes, where the tree is attached now. What cannot be had is sent as a warning. */
int stopped_volumes(const struct sidecar_plan *plan, struct mounts *m, int messages,
		    struct insp_err *err);
/* The same below target, a directory of the tree. */
int stopped_volumes_in(const struct sidecar_plan *plan, struct mounts *m, int target, int messages,
		       struct insp_err *err);
/* New namespaces instead of a target's; the host name is the container's, "lo" is up. */
int stopped_namespaces(const struct sidecar_plan *plan, struct insp_err *err);

#endif
