/* A container's "state" JSON from podman's database, of a host that is not the live one. */
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insp_sys sys = { .rootfd = -EBADF, .procfd = -EBADF };
	struct engine_scan scan = { .sys = &sys, .want = (size & 1) ? INSP_WANT_DETAIL : 0 };
	struct storage_root root = { .scan = &scan, .fd = -EBADF, .owner = 1001 };
	struct podman_store store = {
		.scan = &scan, .storage = &root, .fd = -EBADF, .owner = 1001
	};
	_cleanup_container_ struct insp_container *c = container_new(PODMAN_NAME, "id");

	(void)podman_fill_state(&store, c, (const char *)data, size, NULL);
	if (c->exit_code < INSP_EXIT_UNSET || c->exit_code > 255 || c->pid != 0)
		__builtin_trap();
	return 0;
}
