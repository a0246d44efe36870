/* Directories and files of a test's own: in the runner's, which takes away what a failed test has left, else in /var/tmp. */
#ifndef SONDE_TESTS_SCRATCH_H
#define SONDE_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_PATH 64

static inline void scratch_template(char path[SCRATCH_PATH])
{
	const char *dir = getenv("SONDE_TEST_DIR");

	/* not P_tmpdir: tmpfs takes no user.* before Linux 6.6 */
	snprintf(path, SCRATCH_PATH, "%s/unit.XXXXXX", dir ? dir : "/var/tmp");
}

static inline void scratch_dir(char path[SCRATCH_PATH])
{
	scratch_template(path);
	assert_non_null(mkdtemp(path));
}

/* Open for reading and writing. */
static inline int scratch_file(char path[SCRATCH_PATH])
{
	int fd;

	scratch_template(path);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return fd;
}

#endif
