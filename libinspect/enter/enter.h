/*
 * Inside enter/: the only code that changes namespaces. A plan is made while nothing has changed yet, then carried
 * out step by step; after the first setns() nothing is decided and nothing of the container is read.
 */
#ifndef SONDE_ENTER_ENTER_H
#define SONDE_ENTER_ENTER_H

#include "libinspect/base/util.h"
#include "libinspect/inspect.h"
#include "libinspect/kernel/pid.h"

/* 1: the caller is in the same namespace of this type as target; 0: in another; -errno. */
int enter_ns_shared(const struct insp_pid *target, enum insp_ns_type type);
/* Those of namespaces (bits 1 << INSP_NS_x) that target does not share with the caller. */
int enter_ns_to_join(const struct insp_pid *target, unsigned namespaces, unsigned *ret,
		     struct insp_err *err);
/* insp_enter_join() of just these, none of which the caller is in. */
int enter_join(const struct insp_pid *target, unsigned bits, struct insp_err *err);

#endif
