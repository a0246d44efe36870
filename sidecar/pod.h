/* --pod: the namespaces that the containers of a pod share. */
#ifndef SONDE_SIDECAR_POD_H
#define SONDE_SIDECAR_POD_H

#include "libinspect/inspect.h"

/*
 * The container that holds a pod's namespaces (pause), which runs; name: "POD" or "NAMESPACE/POD". ret_shared: bits
 * 1 << INSP_NS_x that another container of the pod is in, too; where none runs, net, ipc and uts. -ENOENT, -ESRCH: it does not
 * run; -ENOTUNIQ: candidates (empty before) has them. What could not be read goes to diags.
 */
int pod_find(struct insp_sys *sys, const char *name, struct insp_container **ret_container,
	     unsigned *ret_shared, struct insp_list *candidates, struct insp_diags *diags,
	     struct insp_err *err);

#endif
