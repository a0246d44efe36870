/* rkt's pods (docs/formats/rkt.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_rkt = { .name = "rkt", .scan = scan_none };
