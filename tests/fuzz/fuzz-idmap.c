/* idmap_parse(): any bytes; what maps outwards maps back, unless two lines overlap. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/idmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct idmap m;

	if (idmap_parse((const char *)data, size, &m) < 0)
		return 0;
	if (m.n > IDMAP_MAX)
		__builtin_trap();
	for (size_t i = 0; i < m.n; i++) {
		uint32_t last = m.e[i].inside + m.e[i].count - 1;

		if (idmap_to_outside(&m, last) == UINT32_MAX)
			__builtin_trap();
		if (m.n == 1 && idmap_to_inside(&m, idmap_to_outside(&m, last)) != last)
			__builtin_trap();
	}
	return 0;
}
