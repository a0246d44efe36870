/* struct insp_sys: one host. */
#include "libinspect/kernel/sys.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

#include <sys/statfs.h>
#include <time.h>

#define PROC_MAGIC	    0x9fa0 /* PROC_SUPER_MAGIC of linux/magic.h */
#define DEFAULT_DEADLINE_MS 200

struct insp_sys *insp_sys_close(struct insp_sys *sys)
{
	if (!sys)
		return NULL;
	util_close(sys->rootfd);
	util_close(sys->procfd);
	for (size_t i = 0; i < sys->n_stores; i++) {
		free((char *)sys->stores[i].engine);
		free((char *)sys->stores[i].path);
	}
	free(sys->stores);
	free(sys);
	return NULL;
}

static void sys_closep(struct insp_sys **sys)
{
	insp_sys_close(*sys);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int open_proc(struct insp_sys *sys, struct insp_err *err)
{
	struct statfs fs;

	sys->procfd = sys_open_dir(sys, "/proc");
	if (sys->procfd < 0)
		return insp_err_set(err, sys->procfd, "open '/proc'");
	if (fstatfs(sys->procfd, &fs) < 0)
		return insp_err_set(err, -errno, "look at '/proc'");
	if (fs.f_type != PROC_MAGIC) {
		insp_err_say(err, -ENODEV, "'/proc' is not a proc file system");
		insp_err_hint(err, "mount one: mount -t proc proc /proc");
		return -ENODEV;
	}
	return 0;
}

/* Opens what the live host has besides files: processes, clocks, the caller's namespaces. */
static int open_live(struct insp_sys *sys, struct insp_err *err)
{
	_cleanup_close_ int self = -EBADF;
	int r = open_proc(sys, err);

	if (r < 0)
		return r;
	sys->boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	self = openat(sys->procfd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return insp_err_set(err, -errno, "open '/proc/self'");
	r = pid_ns_inodes_at(self, &sys->self_ns);
	if (r < 0)
		return insp_err_set(err, r, "read '/proc/self/ns'");
	return 0;
}

static int copy_stores(struct insp_sys *sys, const struct insp_sys_opts *opts)
{
	if (opts->n_stores == 0)
		return 0;
	sys->stores = calloc(opts->n_stores, sizeof(*sys->stores));
	if (!sys->stores)
		return -ENOMEM;
	for (size_t i = 0; i < opts->n_stores; i++) {
		struct insp_store *s = &sys->stores[sys->n_stores++];

		s->engine = str_dup(opts->stores[i].engine);
		s->path = str_dup(opts->stores[i].path);
		if (!s->engine || !s->path)
			return -ENOMEM;
	}
	return 0;
}

int insp_sys_open(const struct insp_sys_opts *opts, struct insp_sys **ret_sys, struct insp_err *err)
{
	static const struct insp_sys_opts none = { 0 };
	_cleanup_(sys_closep) struct insp_sys *sys = calloc(1, sizeof(*sys));
	const char *root;
	int r;

	opts = opts ? opts : &none;
	root = opts->root ? opts->root : "/";
	if (!sys)
		return insp_err_set(err, -ENOMEM, "open host");
	sys->procfd = -EBADF;
	sys->live = strcmp(root, "/") == 0;
	sys->deadline_ms = opts->deadline_ms ? opts->deadline_ms : DEFAULT_DEADLINE_MS;
	sys->ticks_per_second = sysconf(_SC_CLK_TCK);
	sys->rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sys->rootfd < 0)
		return insp_err_set(err, -errno, "open the host's root '%s'", root);
	r = copy_stores(sys, opts);
	if (r < 0)
		return insp_err_set(err, r, "open host");
	r = sys->live ? open_live(sys, err) : 0;
	if (r < 0)
		return r;
	*ret_sys = TAKE_PTR(sys);
	return 0;
}

bool insp_sys_is_live(const struct insp_sys *sys)
{
	return sys->live;
}

int64_t insp_sys_ticks_to_time(const struct insp_sys *sys, uint64_t ticks)
{
	uint64_t hz = (uint64_t)sys->ticks_per_second;

	return sys->boot_ns + (int64_t)(ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz);
}

long insp_sys_ticks_per_second(const struct insp_sys *sys)
{
	return sys->ticks_per_second;
}

int64_t insp_sys_now(const struct insp_sys *sys)
{
	return clock_ns(CLOCK_REALTIME);
}

int sys_open(const struct insp_sys *sys, const char *path, int flags)
{
	return insp_open_in_root(sys->rootfd, path, flags | O_CLOEXEC, 0);
}

int sys_open_file(const struct insp_sys *sys, const char *path)
{
	return insp_open_regular_in_root(sys->rootfd, path);
}

int sys_open_dir(const struct insp_sys *sys, const char *path)
{
	return sys_open(sys, path, O_RDONLY | O_DIRECTORY);
}
