/* The registry of engines, and running them. */
#include "libinspect/engines/engine.h"
#include "libinspect/base/util.h"

/* clang-format off */
const struct engine *const engines[] = {
	&engine_docker,
	&engine_cri,
	&engine_containerd,
	&engine_podman,
	&engine_crio,
	&engine_buildah,
	&engine_lxd,
	&engine_incus,
	&engine_lxc,
	&engine_nspawn,
	&engine_apptainer,
	&engine_gvisor,
	&engine_rkt,
	&engine_openvz,
	/* the runtimes below the others */
	&engine_runc,
	&engine_crun,
	&engine_youki,
	&engine_bare,
	NULL,
};
/* clang-format on */

const struct engine *engine_by_name(const char *name, size_t len)
{
	for (size_t i = 0; engines[i]; i++)
		if (strlen(engines[i]->name) == len && memcmp(engines[i]->name, name, len) == 0)
			return engines[i];
	return NULL;
}

int engine_scan_run(struct engine_scan *scan, const struct engine *only)
{
	for (size_t i = 0; engines[i]; i++) {
		int r;

		if (only && engines[i] != only)
			continue;
		if (engines[i]->leftovers && !(scan->want & INSP_WANT_BARE))
			continue;
		r = engines[i]->scan(scan);
		if (r < 0)
			return r;
	}
	return only ? 0 : engine_scan_unread(scan);
}
