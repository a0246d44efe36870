/* gVisor's sandboxes (docs/formats/gvisor.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_gvisor = { .name = "gvisor", .scan = scan_none };
