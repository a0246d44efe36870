/* systemd-nspawn's command line and settings files. */
#include "libinspect/base/util.h"
#include "libinspect/engines/nspawn/nspawn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_options(const struct nspawn_options *o)
{
	struct insp_container *c = container_new("nspawn", "x");

	if (!c || nspawn_add_mounts(o, c) < 0)
		__builtin_trap();
	for (size_t i = 0; i < c->n_mounts; i++)
		if (!c->mounts[i].destination || c->mounts[i].destination[0] != '/')
			__builtin_trap();
	insp_container_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_nspawn_options_ struct nspawn_options args = { 0 }, settings = { 0 };
	int r = nspawn_args_parse((const char *)data, size, &args);

	if (r < 0 && r != -EBADMSG)
		__builtin_trap();
	if (nspawn_settings_parse((const char *)data, size, &settings) < 0)
		__builtin_trap();
	use_options(&args);
	use_options(&settings);
	return 0;
}
