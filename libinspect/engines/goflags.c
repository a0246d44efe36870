#include "libinspect/engines/goflags.h"

#include "libinspect/base/util.h"

static char **value_of(const struct goflag *known, size_t n, const char *flag, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(known[i].flag) == len && memcmp(known[i].flag, flag, len) == 0)
			return known[i].value;
	return NULL;
}

int goflags_parse(const char *args, size_t len, const struct goflag *known, size_t n_known)
{
	const char *end = args + len, *next;

	for (const char *p = args; p < end; p = next) {
		size_t n = strnlen(p, (size_t)(end - p));
		const char *equals = memchr(p, '=', n), *value;
		char **field = value_of(known, n_known, p, equals ? (size_t)(equals - p) : n);

		next = p + n + 1;
		if (!field)
			continue;
		value = equals ? equals + 1 : next;
		if (value >= end)
			break;
		n = strnlen(value, (size_t)(end - value));
		next = value + n + 1;
		free(*field);
		*field = strndup(value, n);
		if (!*field)
			return -ENOMEM;
	}
	return 0;
}
