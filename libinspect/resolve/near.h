/* Names that are nearly the one that was asked for, for the hint. */
#ifndef SONDE_RESOLVE_NEAR_H
#define SONDE_RESOLVE_NEAR_H

#include "libinspect/inspect.h"

/*
 * Sets err's hint to the nearest names of list, at most three, escaped; no hint when none is near. engine: the one that
 * was asked, NULL: any; names of another are shown with it.
 */
void near_hint(const struct insp_list *list, const char *asked, const char *engine,
	       struct insp_err *err);

#endif
