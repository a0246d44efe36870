/* An instance's record: the configuration in base64, and what is made of it. */
#include "libinspect/base/util.h"
#include "libinspect/engines/apptainer/apptainer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* no host: a path leads nowhere */
	struct insp_sys sys = { .rootfd = -EBADF, .procfd = -EBADF };
	struct engine_scan scan = { .sys = &sys, .want = INSP_WANT_FILES | INSP_WANT_DETAIL };
	_cleanup_container_ struct insp_container *c = container_new("fuzz", "x");
	_cleanup_json_ json_t *record = NULL, *config = NULL;

	if (!c || json_parse((const char *)data, size, &record, NULL) < 0)
		return 0;
	if (apptainer_config_decode(record, &config, NULL) == 0 &&
	    apptainer_config_fill(&scan, config, c) < 0)
		__builtin_trap();
	if (apptainer_config_fill(&scan, record, c) < 0)
		__builtin_trap();
	return 0;
}
