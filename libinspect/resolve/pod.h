/* References by pod: "pod/POD", "pod/POD/CONTAINER", "pod/NAMESPACE/POD", "pod/NAMESPACE/POD/CONTAINER". */
#ifndef SONDE_RESOLVE_POD_H
#define SONDE_RESOLVE_POD_H

#include "libinspect/inspect.h"

#include <stddef.h>

/* The parts behind "pod/". */
struct pod_reference {
	char *parts[3];
	size_t n;
};
void pod_reference_clear(struct pod_reference *ref);
/* text: what is behind "pod/". -EINVAL: no part, an empty one, or more than three; -ENOMEM. */
int pod_reference_parse(const char *text, struct pod_reference *ret, struct insp_err *err);
/*
 * Leaves in list the containers that are meant. Two parts are POD/CONTAINER when there is such a container, else
 * NAMESPACE/POD. What only holds the pod's namespaces is never meant, and of containers of one name in one pod, as a
 * restart leaves them, those that live come before those that ended.
 */
void pod_reference_keep(const struct pod_reference *ref, struct insp_list *list);

#endif
