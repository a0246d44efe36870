/* Running a scan that the caller has set up, as insp_list() does. */
#ifndef SONDE_RESOLVE_LIST_H
#define SONDE_RESOLVE_LIST_H

#include "libinspect/engines/engine.h"

/* Everything the scan finds, and its diagnostics. The scan stays the caller's: engine_scan_clear(). */
int list_run(struct engine_scan *scan, struct insp_list *ret_list, struct insp_diags *diags,
	     struct insp_err *err);

#endif
