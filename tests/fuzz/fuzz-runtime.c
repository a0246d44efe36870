/* The runtimes' records, read from a file in memory. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/runtime.h"

#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char records[] = "/tmp/fuzz-runtime-XXXXXX";

static void remove_records(void)
{
	rmdir(records);
}

/* Made at the first use. */
static int open_records(void)
{
	static int dirfd = -1;

	if (dirfd < 0 && mkdtemp(records)) {
		dirfd = open(records, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
		atexit(remove_records);
	}
	return dirfd;
}

static void try_runtime(const struct runtime *rt, const char *file, const uint8_t *data,
			size_t size)
{
	int dirfd = open_records();
	int fd = openat(dirfd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct runtime_init init;

	if (fd < 0 || io_write_all(fd, data, size) < 0)
		__builtin_trap();
	close(fd);
	if (rt->read_init(dirfd, IO_SMALL_MAX, &init) == 0 && (init.pid <= 0 || init.start == 0))
		__builtin_trap();
	unlinkat(dirfd, file, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_runtime(&runtime_crun, "status", data, size);
	try_runtime(&runtime_runc, "state.json", data, size);
	return 0;
}
