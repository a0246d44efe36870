/* What is said of a container that has no process. */
#ifndef SONDE_RESOLVE_ENDED_H
#define SONDE_RESOLVE_ENDED_H

#include "libinspect/inspect.h"

/*
 * -ESRCH, and err says that c does not run, with which code and when it ended as far as its record tells; the hint what
 * to look at next. Its log's place is looked up in the store again when c does not have it.
 */
int ended_say(struct insp_sys *sys, const struct insp_container *c, struct insp_err *err);

#endif
