/* cdebug --pod. */
#ifndef SONDE_CDEBUG_PODS_H
#define SONDE_CDEBUG_PODS_H

#include "tools/shared/opts.h"

/*
 * The container that holds the namespaces of the pod, and which they are: bits 1 << INSP_NS_x. 0, or the status to exit with,
 * everything said.
 */
int pods_resolve(const struct tool *tool, struct insp_sys *sys, const char *name,
		 struct insp_container **ret_container, unsigned *ret_shared);

#endif
