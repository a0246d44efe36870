/* buildah's working containers in containers-storage (docs/formats/buildah.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_buildah = { .name = "buildah", .scan = scan_none };
