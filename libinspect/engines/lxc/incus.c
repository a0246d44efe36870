/* incus: all of it as LXD has it (docs/formats/lxd.md). */
#include "libinspect/engines/lxc/form.h"

static int scan_incus(struct engine_scan *scan)
{
	static const char *const dirs[] = { "/var/lib/incus", NULL };
	static const char *const programs[] = { "incusd", NULL };
	static const struct lxd_form form = {
		.name = "incus",
		.dirs = dirs,
		.programs = programs,
		.variable = "INCUS_DIR",
		.logs = "/var/log/incus",
	};

	return lxd_scan(scan, &form);
}

const struct engine engine_incus = { .name = "incus", .scan = scan_incus };
