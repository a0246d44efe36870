/* A pod's manifest, and /proc/locks. */
#include "libinspect/base/util.h"
#include "libinspect/engines/rkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insp_container *c = container_new("pod", "id");
	char *app = NULL;

	if (!c)
		return 0;
	(void)rkt_fill_manifest((const char *)data, size, ~0U, c, &app, NULL);
	(void)rkt_lock_holder((const char *)data, size, 1, 2);
	free(app);
	insp_container_free(c);
	return 0;
}
