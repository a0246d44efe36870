/*
 * What a docker store says about layers: `lower` files and the links that they name. The input is cut at its first
 * newline: a `lower` file, a link's target.
 */
#include "libinspect/base/util.h"
#include "libinspect/engines/docker/docker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_lower(const char *p, size_t size)
{
	const char *end = p + size, *before = p;
	char name[DOCKER_LINK_MAX + 1];

	while (docker_lower_next(&p, end, name) > 0) {
		/* a name below l/, and on with the next one */
		if (!name[0] || strpbrk(name, "./:") || p <= before || p > end)
			__builtin_trap();
		before = p;
	}
}

static void try_link(const char *p, size_t size)
{
	_cleanup_free_ char *target = strndup(p, size), *again = NULL;
	char id[DOCKER_LAYER_ID_MAX + 1];

	if (!target || docker_layer_link(target, id) < 0)
		return;
	again = str_format("../%s/diff", id);
	if (!again || strpbrk(id, "./") || !id[0] || strcmp(again, target) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *newline = memchr(p, '\n', size);
	size_t len = newline ? (size_t)(newline - p) : size;

	try_lower(p, len);
	if (newline)
		try_link(newline + 1, size - len - 1);
	return 0;
}
