/* storage.conf of a user. */
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct podman_user user = { .name = "ann", .home = "/home/ann", .uid = 1001 };
	_cleanup_podman_conf_ struct podman_conf conf = { 0 }, root = { 0 };

	if (podman_conf_parse((const char *)data, size, &user, &conf) < 0 ||
	    podman_conf_parse((const char *)data, size, NULL, &root) < 0)
		__builtin_trap();
	podman_conf_free(&root);
	return 0;
}
