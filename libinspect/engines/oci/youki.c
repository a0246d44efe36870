/* youki's own records: ROOT/ID/state.json (docs/formats/youki.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_youki = { .name = "youki", .scan = scan_none };
