/* CRI-O: containers-storage with a pod's metadata (docs/formats/cri-o.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_crio = { .name = "cri-o", .scan = scan_none };
