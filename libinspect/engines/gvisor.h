/*
 * gVisor's records as seen by engines that use it as their runtime: ROOT/ID_sandbox:SANDBOX.state (pkg runsc/container,
 * runsc/sandbox of 2024; docs/formats/gvisor.md).
 */
#ifndef SONDE_ENGINES_GVISOR_H
#define SONDE_ENGINES_GVISOR_H

#include "libinspect/engines/engine.h"

/*
 * Looks for the record of container id in the runtime's root rootfd and, when there is one, sets c->guest and, while
 * the sandbox lives and is the one of the record, c->pid and pid_start as engine_claim_init() does. c->owner is to be
 * set before: whose word the record is.
 * 1: it lives; 0: a record and no sandbox, the container has ended; -ENOENT: no record; -EBADMSG and others: it cannot
 * be read, err (may be NULL) says why.
 */
int gvisor_claim(struct engine_scan *scan, int rootfd, const char *id, struct insp_container *c,
		 struct insp_err *err);

#endif
