/* What a process of the host does for containers. */
#ifndef SONDE_RESOLVE_SERVED_H
#define SONDE_RESOLVE_SERVED_H

#include "libinspect/inspect.h"

/*
 * Sets err's hint for a process that is in no container: that it is the host's own, and which containers it is the
 * parent of, as an engine's monitor or shim is. By the kernel's word: what a process calls itself proves nothing.
 */
void served_hint(struct insp_sys *sys, const struct insp_pid *pid, struct insp_err *err);

#endif
