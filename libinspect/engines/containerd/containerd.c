/* containerd's own containers (docs/formats/containerd.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_containerd = { .name = "containerd", .scan = scan_none };
