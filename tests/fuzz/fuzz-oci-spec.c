/* config.json of the OCI runtime specification. */
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_container_ struct insp_container *c = container_new("fuzz", "x");
	_cleanup_json_ json_t *spec = NULL;

	if (!c || json_parse((const char *)data, size, &spec, NULL) < 0)
		return 0;
	if (oci_spec_fill(spec, INSP_WANT_FILES | INSP_WANT_DETAIL, c) < 0)
		__builtin_trap();
	for (size_t i = 0; i < c->n_mounts; i++)
		if (!c->mounts[i].destination || !c->mounts[i].type)
			__builtin_trap();
	return 0;
}
