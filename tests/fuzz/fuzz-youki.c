/* A record in youki's form, on a host that has nothing else. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"

#include <sys/stat.h>

#define RECORD "run/youki/x/state.json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char youki_host[] = "/tmp/fuzz-youki-XXXXXX";
static const char *const youki_dirs[] = { "run", "run/youki", "run/youki/x" };
static int youki_fd = -1;

static void remove_youki_host(void)
{
	for (size_t i = ARRAY_SIZE(youki_dirs); i > 0; i--)
		unlinkat(youki_fd, youki_dirs[i - 1], AT_REMOVEDIR);
	rmdir(youki_host);
}

/* Made at the first use. */
static int open_youki_host(void)
{
	if (youki_fd >= 0 || !mkdtemp(youki_host))
		return youki_fd;
	youki_fd = open(youki_host, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(youki_dirs); i++)
		if (mkdirat(youki_fd, youki_dirs[i], 0755) < 0)
			__builtin_trap();
	atexit(remove_youki_host);
	return youki_fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insp_sys sys = { .rootfd = open_youki_host(), .procfd = -EBADF };
	_cleanup_scan_ struct engine_scan scan = {
		.sys = &sys, .want = INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES
	};
	int fd = openat(sys.rootfd, RECORD, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, data, size) < 0)
		__builtin_trap();
	close(fd);
	if (engine_youki.scan(&scan) < 0 || scan.found.n + scan.diags.n != 1)
		__builtin_trap();
	unlinkat(sys.rootfd, RECORD, 0);
	return 0;
}
