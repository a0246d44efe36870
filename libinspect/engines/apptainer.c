/* apptainer's and singularity's instances (docs/formats/apptainer.md). */
#include "libinspect/engines/engine.h"

static int scan_none(struct engine_scan *scan)
{
	return 0;
}

const struct engine engine_apptainer = { .name = "apptainer", .scan = scan_none };
