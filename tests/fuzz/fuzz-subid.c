/* subid_parse(): any bytes; ranges follow one another inside and none wraps. And idmap_compose() of what came of it. */
#include "libinspect/kernel/subid.h"
#include "libinspect/base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct idmap map, twice;
	uint64_t inside = 0;

	map.n = 0;
	subid_parse((const char *)data, size, "ann", &map);
	for (size_t i = 0; i < map.n; i++) {
		if (map.e[i].inside != inside || map.e[i].count == 0 ||
		    map.e[i].outside > UINT32_MAX - map.e[i].count)
			__builtin_trap();
		inside += map.e[i].count;
	}
	idmap_compose(&map, &map, &twice);
	for (size_t i = 0; i < twice.n; i++) {
		uint32_t once = idmap_to_outside(&map, twice.e[i].inside);

		if (twice.e[i].count == 0 || once == UINT32_MAX ||
		    idmap_to_outside(&map, once) == UINT32_MAX)
			__builtin_trap();
	}
	return 0;
}
