/* backup.yaml of LXD and incus. */
#include "libinspect/base/util.h"
#include "libinspect/engines/lxc/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insp_container *c = container_new("lxd", "x");
	_cleanup_json_ json_t *record = NULL;
	struct insp_err err = { 0 };
	int r = lxd_record_parse((const char *)data, size, &record, &err);

	if (!c || (r < 0) != (err.code != 0) || (r == 0) != (record != NULL))
		__builtin_trap();
	if (r == 0 &&
	    lxd_record_fill(record, INSP_WANT_DETAIL | INSP_WANT_FILES, "/var/lib/lxd", c) < 0)
		__builtin_trap();
	insp_container_free(c);
	return 0;
}
