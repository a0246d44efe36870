/* As whom the command runs. */
#ifndef SONDE_SIDECAR_WHO_H
#define SONDE_SIDECAR_WHO_H

#include "sidecar/internal.h"

/*
 * Sets ids, caps, uid, gid, user and workdir of the plan; needs join and join_user. -ENOENT: no such user; -EINVAL:
 * root where the profile has none; -EOVERFLOW: an id that the container's user namespace does not know.
 */
int who_decide(struct sidecar_plan *plan, struct insp_err *err);
/* In the builder: the ids that plan->start means, by the passwd of the files below tree. */
int who_decide_by_files(struct sidecar_plan *plan, int tree, struct insp_err *err);
/* The capabilities that the command will have, bits 1 << CAP_x. */
uint64_t who_caps(const struct sidecar_plan *plan);
/* The command's home directory; free() it. NULL: memory is out. */
char *who_home(const struct sidecar_plan *plan);
/* Its lines of the plan in words. */
void who_describe(const struct sidecar_plan *plan, FILE *f);

#endif
