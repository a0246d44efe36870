/* systemd-nspawn and /var/lib/machines (docs/formats/nspawn.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_nspawn = { .name = "nspawn", .scan = scan_none };
