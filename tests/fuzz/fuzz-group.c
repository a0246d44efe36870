/* group(5) of a container: any bytes. The first line is who is looked for. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(gid_t gid, void *arg)
{
	if (gid == (gid_t)-1)
		__builtin_trap();
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = memchr(text, '\n', size);
	size_t len = end ? (size_t)(end - text) : size, n = 0;
	_cleanup_free_ char *who = strndup(text, len);
	gid_t gid = 0;

	if (!who)
		return 0;
	if (group_find(text + len, size - len, who, &gid) && gid == (gid_t)-1)
		__builtin_trap();
	group_each_of(text + len, size - len, who, take, &n);
	if (n > size)
		__builtin_trap();
	return 0;
}
