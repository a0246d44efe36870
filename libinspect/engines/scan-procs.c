/*
 * The one walk over /proc that a scan makes. The link PID/exe costs one system call, tells the program without trusting
 * what a process calls itself (comm), and is missing exactly for kernel threads and zombies. Another user's link
 * may not be read; then comm must do.
 */
#include "libinspect/engines/engine.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

#include <limits.h>

static int read_comm(const struct insp_sys *sys, pid_t pid, char *buf, size_t size)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/comm", (int)pid);
	n = io_read_small(sys->procfd, path, buf, size);
	if (n < 0)
		return (int)n;
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return 0;
}

/* The last component of an exe link without the kernel's " (deleted)". */
static void copy_file_name(char *link, size_t len, char *buf, size_t size)
{
	const char *slash;
	size_t n;

	link[len] = '\0';
	if (str_ends(link, " (deleted)"))
		link[len - strlen(" (deleted)")] = '\0';
	slash = strrchr(link, '/');
	slash = slash ? slash + 1 : link;
	n = MIN_OF(strlen(slash), size - 1);
	memcpy(buf, slash, n);
	buf[n] = '\0';
}

int engine_proc_exe(const struct insp_sys *sys, pid_t pid, char *buf, size_t size)
{
	char path[32], link[PATH_MAX];
	ssize_t n;

	if (!sys->live)
		return -ESRCH;
	snprintf(path, sizeof(path), "%d/exe", (int)pid);
	n = readlinkat(sys->procfd, path, link, sizeof(link) - 1);
	if (n < 0 && (errno == EACCES || errno == EPERM))
		return read_comm(sys, pid, buf, size);
	if (n < 0)
		return -errno;
	copy_file_name(link, (size_t)n, buf, size);
	return 0;
}

static int add_proc(struct scan_procs *procs, size_t *cap, const struct scan_proc *p)
{
	if (procs->n == *cap) {
		size_t bigger = MAX_OF(*cap * 2, (size_t)256);
		struct scan_proc *items = reallocarray(procs->items, bigger, sizeof(*items));

		if (!items)
			return -ENOMEM;
		procs->items = items;
		*cap = bigger;
	}
	procs->items[procs->n++] = *p;
	return 0;
}

static int walk(const struct insp_sys *sys, struct scan_procs *procs)
{
	_cleanup_closedir_ DIR *dir = NULL;
	size_t cap = 0;
	int r = io_opendir(sys->procfd, ".", &dir);

	/* no /proc to look at: no processes to be seen */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_dirent (de, dir) {
		struct scan_proc p;

		if (str_to_pid(de->d_name, &p.pid) < 0 ||
		    engine_proc_exe(sys, p.pid, p.exe, sizeof(p.exe)) < 0)
			continue;
		r = add_proc(procs, &cap, &p);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the caller has seen stands for the walk. */
static int walk_known(const struct engine_scan *scan, struct scan_procs *procs)
{
	size_t cap = 0;

	for (size_t i = 0; i < scan->n_known; i++) {
		struct scan_proc p = { .pid = scan->known[i].pid };

		memcpy(p.exe, scan->known[i].exe, sizeof(p.exe));
		if (p.exe[0] && add_proc(procs, &cap, &p) < 0)
			return -ENOMEM;
	}
	return 0;
}

int engine_scan_procs(struct engine_scan *scan, const struct scan_procs **ret)
{
	if (!scan->procs.done && scan->may_walk && scan->sys->live) {
		int r = scan->n_known ? walk_known(scan, &scan->procs)
				      : walk(scan->sys, &scan->procs);

		if (r < 0)
			return r;
		scan->procs.done = true;
	}
	*ret = &scan->procs;
	return 0;
}

static int compare_pid(const void *key, const void *item)
{
	pid_t x = *(const pid_t *)key, y = ((const struct scan_ns *)item)->pid;

	return (x > y) - (x < y);
}

int engine_proc_ns(const struct engine_scan *scan, pid_t pid, enum insp_ns_type type, uint64_t *ret)
{
	const struct scan_ns *k = NULL;
	uint64_t ino = 0;

	if (scan->n_known)
		k = bsearch(&pid, scan->known, scan->n_known, sizeof(*k), compare_pid);
	if (k && type == INSP_NS_PID)
		ino = k->pid_ns;
	else if (k && type == INSP_NS_MNT)
		ino = k->mnt_ns;
	if (!ino)
		return pid_ns_inode(scan->sys->procfd, pid, type, ret);
	*ret = ino;
	return 0;
}
