/* lxc (docs/formats/lxc.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_lxc = { .name = "lxc", .scan = scan_none };
