/* Kubernetes' containers of containerd's CRI plugin (docs/formats/cri.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_cri = { .name = "cri", .scan = scan_none };
