/* storage.conf of a user. */
#include "libinspect/base/util.h"
#include "libinspect/engines/storage/storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct storage_user user = { .name = "ann", .home = "/home/ann", .uid = 1001 };
	_cleanup_storage_conf_ struct storage_conf conf = { 0 }, root = { 0 };

	int r = storage_conf_parse((const char *)data, size, &user, &conf, NULL);

	if (r != storage_conf_parse((const char *)data, size, NULL, &root, NULL) ||
	    (r < 0 && r != -EBADMSG))
		__builtin_trap();
	storage_conf_free(&root);
	return 0;
}
