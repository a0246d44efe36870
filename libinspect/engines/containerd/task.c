/* What lives of a container: by the runtime's record, which has the start time, else by the bundle's init.pid. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/engines/oci/runtime.h"

#include <sys/stat.h>

/* The same for every state directory, and for every runtime that the shim drives, unless the options say otherwise. */
#define RUNTIME_ROOT "/run/containerd/runc"
#define TASKS	     "io.containerd.runtime.v2.task"
/* beside the runtime's record from create until start */
#define CREATED_FIFO "exec.fifo"

/* The runtime's record of it: a directory. fd or -errno. */
static int open_record(const struct containerd_scan *cs, const struct containerd_record *rec)
{
	const char *root = rec->runtime_root ? rec->runtime_root : RUNTIME_ROOT;
	_cleanup_free_ char *path =
		str_format("%s%s/%s/%s", cs->root->prefix, root, rec->ns, rec->id);

	return path ? sys_open_dir(cs->scan->sys, path) : -ENOMEM;
}

/* 1: the record's process lives, 0: it does not, or there is no record that tells. */
static int claim_by_record(struct containerd_scan *cs, int recordfd, struct insp_container *c)
{
	for (size_t i = 0; runtimes[i]; i++) {
		struct runtime_init init;
		int r = runtimes[i]->read_init(recordfd, IO_STATE_MAX, &init);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r == -ENOMEM ? r : 0;
		return engine_claim_init(cs->scan, c, init.pid, init.start);
	}
	return 0;
}

/* The daemon's directory of the task below its root stays until the task is deleted, also over a boot. */
static bool has_task(const struct containerd_scan *cs, const char *tail)
{
	struct stat st;

	return fstatat(cs->root->fd, tail, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int claim_bundle(struct containerd_scan *cs, const char *path, struct insp_container *c)
{
	_cleanup_close_ int fd = sys_open_dir(cs->scan->sys, path);
	char buf[32];
	ssize_t n;
	pid_t pid;

	if (fd < 0)
		return fd == -ENOMEM || fd == -EACCES ? fd : 0;
	n = io_read_small_file(fd, "init.pid", buf, sizeof(buf));
	if (n <= 0 || str_to_pid(buf, &pid) < 0)
		return 0;
	return engine_claim_init(cs->scan, c, pid, 0);
}

/*
 * The state directory of a root that the caller named is not known without walking /proc: the mount table has the
 * bundle of every running container whose root containerd mounted.
 */
static int claim_by_mount(struct containerd_scan *cs, const char *tail, struct insp_container *c)
{
	_cleanup_free_ char *suffix = str_format("/%s/rootfs", tail);
	const struct mount_table *table;
	int r = suffix ? engine_scan_mounts(cs->scan, &table) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < table->n; i++) {
		const char *target = table->items[i].target;
		_cleanup_free_ char *bundle = NULL;

		if (!str_ends(target, suffix))
			continue;
		bundle = strndup(target, strlen(target) - strlen("/rootfs"));
		r = bundle ? claim_bundle(cs, bundle, c) : -ENOMEM;
	}
	return r;
}

/* Without the runtime's record (a runtime that keeps another): the cgroup must have the id in its path. */
static int claim_by_bundle(struct containerd_scan *cs, const char *tail, struct insp_container *c)
{
	_cleanup_free_ char *path = NULL;

	if (!cs->root->state)
		return has_task(cs, tail) ? claim_by_mount(cs, tail, c) : 0;
	path = str_format("%s/%s", cs->root->state, tail);
	return path ? claim_bundle(cs, path, c) : -ENOMEM;
}

static void set_live_state(struct containerd_scan *cs, int recordfd, struct insp_container *c)
{
	c->state = INSP_STATE_RUNNING;
	if (recordfd >= 0 && faccessat(recordfd, CREATED_FIFO, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		c->state = INSP_STATE_CREATED;
	else if (freezer_frozen(&cs->freezer, cs->scan, c->pid))
		c->state = INSP_STATE_PAUSED;
	if (c->state != INSP_STATE_CREATED && c->started == 0)
		c->started = insp_sys_ticks_to_time(cs->scan->sys, c->pid_start);
}

/* The root as containerd has mounted it. */
static int fill_rootfs(const struct containerd_scan *cs, const char *tail, struct insp_container *c)
{
	if (!cs->root->state || !(cs->scan->want & INSP_WANT_DETAIL))
		return 0;
	c->rootfs = str_format("%s/%s/rootfs", cs->root->state, tail);
	return c->rootfs ? 0 : -ENOMEM;
}

int containerd_task_state(struct containerd_scan *cs, const struct containerd_record *rec,
			  struct insp_container *c)
{
	_cleanup_free_ char *tail = str_format(TASKS "/%s/%s", rec->ns, rec->id);
	_cleanup_close_ int recordfd = cs->scan->sys->live ? open_record(cs, rec) : -ENOENT;
	int r = recordfd;

	if (!tail)
		return -ENOMEM;
	if (r >= 0)
		r = claim_by_record(cs, recordfd, c);
	else if (cs->scan->sys->live && r == -ENOENT)
		r = claim_by_bundle(cs, tail, c);
	if (r == -ENOMEM || r == -EACCES)
		return r;
	if (r <= 0) {
		c->state = has_task(cs, tail) ? INSP_STATE_EXITED : INSP_STATE_CREATED;
		return 0;
	}
	set_live_state(cs, recordfd, c);
	return fill_rootfs(cs, tail, c);
}
