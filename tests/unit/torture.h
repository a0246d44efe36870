/* What every parser of hostile bytes has to survive: truncation and corruption. Exact allocations, for ASan. */
#ifndef SONDE_TESTS_TORTURE_H
#define SONDE_TESTS_TORTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/base/util.h"

typedef void (*torture_fn)(const char *buf, size_t len);

/* Calls fn with every beginning of text, and with every byte replaced by several hostile ones. */
static inline void torture(const char *text, size_t len, torture_fn fn)
{
	static const char bad[] = { '\0', '\n', ' ', ':', '\\', ')', '-', '9', ',', '/', '\xff' };

	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		if (n)
			memcpy(copy, text, n);
		fn(copy, n);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		char *copy = malloc(len);

		assert_non_null(copy);
		memcpy(copy, text, len);
		for (size_t b = 0; b < sizeof(bad); b++) {
			copy[i] = bad[b];
			fn(copy, len);
		}
		free(copy);
	}
}

#define torture_str(text, fn) torture((text), strlen(text), (fn))

#endif
