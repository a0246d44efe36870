/* marks_redirect_is_sound(): what passes is walked as names below a layer's root, each into NAME_MAX + 1 bytes. */
#include "libinspect/rootfs/marks.h"
#include "libinspect/base/util.h"

#include <limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *path = NULL;

	if (!marks_redirect_is_sound((const char *)data, size))
		return 0;
	path = strndup((const char *)data, size);
	if (!path || strlen(path) != size || (path[0] != '/' && strchr(path, '/')))
		__builtin_trap();
	for (char *p = path + (path[0] == '/'), *end; p; p = end) {
		end = strchr(p, '/');
		if (end)
			*end++ = '\0';
		if (!*p || strlen(p) > NAME_MAX || strcmp(p, ".") == 0 || strcmp(p, "..") == 0)
			__builtin_trap();
	}
	return 0;
}
