/* The registry of engines, and running them. */
#include "libinspect/engines/engine.h"
#include "libinspect/base/str.h"
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

int insp_engine_check(const char *name, bool with_store, struct insp_err *err)
{
	const struct engine *engine = engine_by_name(name, strlen(name));
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	/* what is left over by the others has no store */
	if (engine && !(with_store && engine->leftovers))
		return 0;
	for (size_t i = 0; engines[i]; i++)
		if (!(with_store && engines[i]->leftovers))
			strbuf_printf(&sb, "%s%s", i ? ", " : "", engines[i]->name);
	insp_err_say(err, -EINVAL, "unknown engine");
	insp_err_hint(err, "engines: %s", sb.buf ? sb.buf : "none");
	return -EINVAL;
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
	engine_scan_named(scan, only);
	return only ? 0 : engine_scan_unread(scan);
}
