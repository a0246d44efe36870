/* OpenVZ and Virtuozzo (docs/formats/openvz.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_openvz = { .name = "openvz", .scan = scan_none };
