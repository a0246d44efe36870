/* cgroup_parse() and what looks for ids in the paths. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
	char id[65];

	if (cgroup_parse((const char *)data, size, &l) < 0)
		return 0;
	for (size_t i = 0; i < l.n; i++)
		if (l.items[i].path[0] != '/' || l.items[i].hierarchy < 0)
			__builtin_trap();
	(void)cgroup_best(&l);
	if (cgroup_find_id(&l, id) && (!str_is_hex(id, 64) || !cgroup_has_id(&l, id)))
		__builtin_trap();
	return 0;
}
