/*
 * Which process is a podman container's init, and what is left when it is gone. podman's own pid files and database are
 * stale as soon as something dies without podman, and pids are reused: only a start time, a cgroup or a living
 * monitor makes a pid the container's.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/hostproc.h"
#include "libinspect/engines/podman/podman.h"
#include "libinspect/engines/oci/runtime.h"
#include "libinspect/kernel/pid.h"

#include <sys/stat.h>

#define MONITOR "conmon"

/* The runtime's record directory of container id. fd or -errno. */
static int open_record(const struct podman_store *s, const struct runtime *rt, const char *id)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (s->owner == 0) {
		fd = podman_open_dir(s, rt->root);
	} else if (s->run_dir) {
		path = str_format("%s/%s", s->run_dir, rt->user_dir);
		fd = path ? podman_open_dir(s, path) : -ENOMEM;
	}
	return fd < 0 ? fd : io_open_dir(fd, id);
}

/* By the record of runtime rt, which has the start time. */
static int claim_by_runtime(struct podman_store *s, struct insp_container *c,
			    const struct runtime *rt)
{
	_cleanup_close_ int fd = open_record(s, rt, c->id);
	struct runtime_init init;

	if (fd < 0 || rt->read_init(fd, storage_json_max(s->storage), &init) < 0)
		return fd == -ENOMEM ? fd : 0;
	return engine_claim_init(s->scan, c, init.pid, init.start);
}

/* Whether it is a monitor of the store's owner: anybody can call a process so, and a pid that was reused may be anybody's. */
static int read_monitor(struct podman_store *s, pid_t pid, struct hostproc *ret)
{
	const struct insp_sys *sys = s->scan->sys;
	struct pid_stat st;

	if (pid_read_stat(sys->procfd, pid, &st) < 0 || !str_eq(st.comm, MONITOR))
		return 0;
	return s->owner == 0 ? hostproc_read_root(sys, pid, ret) : hostproc_read(sys, pid, ret);
}

/*
 * By its parent, the monitor that podman started for it: for a rootless container on cgroup v1, which has no cgroup of
 * its own, and whose runtime's record is gone. A pid that was reused has another parent.
 */
static int claim_by_monitor(struct podman_store *s, struct insp_container *c, pid_t pid,
			    pid_t conmon)
{
	_cleanup_hostproc_ struct hostproc monitor = { 0 };
	const struct insp_sys *sys = s->scan->sys;
	struct pid_stat init;
	int r;

	if (!sys->live || conmon <= 0)
		return 0;
	r = read_monitor(s, conmon, &monitor);
	if (r <= 0 || monitor.owner != s->owner)
		return r < 0 ? r : 0;
	if (pid_read_stat(sys->procfd, pid, &init) < 0 || init.ppid != conmon ||
	    !hostproc_same(sys, &monitor))
		return 0;
	return engine_claim_init(s->scan, c, pid, init.start);
}

static int claim_by_runtimes(struct podman_store *s, struct insp_container *c, bool small)
{
	int r = 0;

	for (size_t i = 0; runtimes[i] && r == 0; i++)
		if (runtimes[i]->small_record == small)
			r = claim_by_runtime(s, c, runtimes[i]);
	return r;
}

int podman_claim(struct podman_store *s, struct insp_container *c, pid_t pid, pid_t conmon)
{
	int r = claim_by_runtimes(s, c, true);

	if (r == 0 && pid > 0)
		r = engine_claim_init(s->scan, c, pid, 0);
	if (r == 0)
		r = claim_by_runtimes(s, c, false);
	if (r == 0 && pid > 0)
		r = claim_by_monitor(s, c, pid, conmon);
	return r;
}

int podman_read_exit(const struct podman_store *s, const char *id, int64_t started, int *ret_code,
		     int64_t *ret_time)
{
	_cleanup_close_ int tmp = s->tmp_dir ? podman_open_dir(s, s->tmp_dir) : -ENOENT;
	_cleanup_close_ int exits = tmp < 0 ? tmp : io_open_dir(tmp, "exits");
	struct stat st;
	uint64_t code;
	char buf[32];
	int64_t when;
	ssize_t n;

	if (exits < 0 || fstatat(exits, id, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	when = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	/* left from an earlier run */
	if (when < started)
		return -ENOENT;
	n = io_read_small_file(exits, id, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	buf[strcspn(buf, "\n")] = '\0';
	if (str_to_u64(buf, &code) < 0 || code > 255)
		return -EBADMSG;
	*ret_code = (int)code;
	*ret_time = when;
	return 0;
}
