/* Whether a process is frozen by its cgroup: that is what "paused" means where no record says so. */
#ifndef SONDE_ENGINES_FREEZER_H
#define SONDE_ENGINES_FREEZER_H

#include "libinspect/engines/engine.h"
#include "libinspect/kernel/cgroup.h"

/* Where the hierarchies are, found at the first question. Zero-initialise; freezer_done(). */
struct freezer {
	struct cgroup_mounts mounts;
	bool read, usable;
};
void freezer_done(struct freezer *f);
#define _cleanup_freezer_ _cleanup_(freezer_done)

/* Where the hierarchies are; NULL when that cannot be read. */
const struct cgroup_mounts *freezer_mounts(struct freezer *f, struct engine_scan *scan);
/*
 * v1: freezer.state of its freezer cgroup is FROZEN (or FREEZING); v2: cgroup.freeze of its cgroup is 1, or one above
 * it is and "frozen 1" stands in cgroup.events. False when it is not, or cannot be told.
 */
bool freezer_frozen(struct freezer *f, struct engine_scan *scan, pid_t pid);

#endif
