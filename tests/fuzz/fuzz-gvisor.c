/* A sandbox's record, read from a file. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/gvisor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char sandboxes[] = "/tmp/fuzz-gvisor-XXXXXX";

static void remove_sandboxes(void)
{
	rmdir(sandboxes);
}

/* Made at the first use. */
static int open_sandboxes(void)
{
	static int dirfd = -1;

	if (dirfd < 0 && mkdtemp(sandboxes)) {
		dirfd = open(sandboxes, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
		atexit(remove_sandboxes);
	}
	return dirfd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* no host: no process is looked at */
	struct insp_sys sys = { .rootfd = -EBADF, .procfd = -EBADF };
	struct engine_scan scan = { .sys = &sys };
	_cleanup_container_ struct insp_container *c = container_new("fuzz", "x");
	int dirfd = open_sandboxes();
	int fd = openat(dirfd, "x_sandbox:x.state", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (!c || fd < 0 || io_write_all(fd, data, size) < 0)
		__builtin_trap();
	close(fd);
	if (gvisor_claim(&scan, dirfd, "x", c, NULL) > 0)
		__builtin_trap();
	unlinkat(dirfd, "x_sandbox:x.state", 0);
	return 0;
}
