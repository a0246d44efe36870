/* LXD and incus (docs/formats/lxd.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_lxd = { .name = "lxd", .scan = scan_none };
const struct engine engine_incus = { .name = "incus", .scan = scan_none };
