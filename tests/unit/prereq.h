/* What a test needs and the machine may lack: said and skipped on a laptop, a failure with CI set. */
#ifndef SONDE_TESTS_PREREQ_H
#define SONDE_TESTS_PREREQ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

/* For what every CI machine has to have. Comes first in a test: what it has made by then stays behind. */
#define NEED(condition, what)                                         \
	do {                                                          \
		if (condition)                                        \
			break;                                        \
		if (getenv("CI"))                                     \
			fail_msg("CI is set, and missing: %s", what); \
		print_message("missing: %s\n", what);                 \
		skip();                                               \
	} while (0)

#define NEED_ROOT() NEED(geteuid() == 0, "root")

#endif
