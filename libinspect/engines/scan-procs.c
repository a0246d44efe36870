/*
 * The one walk over /proc that a scan makes, in two threads where there are many processes. The link PID/exe costs one
 * system call, tells the program without trusting what a process calls itself (comm), and is missing exactly for kernel
 * threads and zombies. Another user's link may not be read; then comm must do.
 */
#include "libinspect/engines/engine.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

#include <limits.h>
#include <pthread.h>

#define KTHREADD   2
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define SPLIT_MIN  1024	      /* processes from which a second thread is worth its start */

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

bool engine_proc_look(const struct insp_sys *sys, struct scan_proc *p)
{
	if (p->pid_ns && p->pid_ns != sys->self_ns.ino[INSP_NS_PID])
		return true;
	if (engine_proc_exe(sys, p->pid, p->exe, sizeof(p->exe)) < 0) {
		p->exe[0] = '\0';
		return false;
	}
	return true;
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

/*
 * The kernel threads, which are all children of kthreadd, "2 3 4 …" in one read (CONFIG_PROC_CHILDREN, Linux 3.5). Where
 * it is not there, or 2 is somebody else (in a pid namespace), each is found out by its missing exe link. Static
 * kernel threads never end; a pid that became one's after this read is looked at.
 */
static void read_kernel_threads(const struct insp_sys *sys, struct io_buf *ret)
{
	struct pid_stat st;

	if (pid_read_stat(sys->procfd, KTHREADD, &st) < 0 || !(st.flags & PF_KTHREAD) ||
	    io_read_proc(sys->procfd, "2/task/2/children", IO_SMALL_MAX, ret) < 0)
		*ret = (struct io_buf){ 0 };
}

/* pids come in the order of both lists; *at moves on. */
static bool is_kernel_thread(const char **at, pid_t pid)
{
	while (*at && **at) {
		char *end;
		long id = strtol(*at, &end, 10);

		if (end == *at || id > pid)
			return false;
		*at = end + (*end == ' ');
		if (id == pid)
			return true;
	}
	return false;
}

static int list_pids(const struct insp_sys *sys, struct scan_procs *procs)
{
	_cleanup_io_buf_ struct io_buf threads = { 0 };
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	size_t cap = 0;
	const char *at;
	int r = io_opendir(sys->procfd, ".", &dir);

	/* no /proc to look at: no processes to be seen */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	read_kernel_threads(sys, &threads);
	at = threads.data;
	for_each_pid (pid, dir) {
		struct scan_proc p = { .pid = pid };

		if (is_kernel_thread(&at, pid))
			continue;
		r = add_proc(procs, &cap, &p);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A part of the walk, one thread's work. */
struct part {
	const struct insp_sys *sys;
	struct scan_proc *procs;
	size_t n;
	bool programs_only;
	bool mounts; /* the mount namespaces of the host's processes, too */
};

/* pid 0 marks what belongs into no walk. */
static void *look_at_part(void *arg)
{
	const struct part *part = arg;
	const uint64_t host = part->sys->self_ns.ino[INSP_NS_PID];

	for (size_t i = 0; i < part->n; i++) {
		struct scan_proc *p = &part->procs[i];

		if (part->programs_only ||
		    pid_ns_inode(part->sys->procfd, p->pid, INSP_NS_PID, &p->pid_ns) < 0)
			p->pid_ns = 0;
		if (!engine_proc_look(part->sys, p))
			p->pid = 0;
		else if (part->mounts && p->pid_ns == host &&
			 pid_ns_inode(part->sys->procfd, p->pid, INSP_NS_MNT, &p->mnt_ns) < 0)
			p->mnt_ns = 0;
	}
	return NULL;
}

static void look_at_all(const struct engine_scan *scan, struct scan_procs *procs)
{
	size_t half = procs->n >= SPLIT_MIN ? procs->n / 2 : 0;
	struct part first = { .sys = scan->sys,
			      .procs = procs->items,
			      .n = half,
			      .programs_only = scan->programs_only,
			      .mounts = scan->want & INSP_WANT_BARE };
	struct part second = first;
	pthread_t thread;
	bool split = half > 0 && pthread_create(&thread, NULL, look_at_part, &first) == 0;

	second.procs += half;
	second.n = procs->n - half;
	(void)look_at_part(&second);
	if (split)
		(void)pthread_join(thread, NULL);
	else
		(void)look_at_part(&first);
}

static int walk(const struct engine_scan *scan, struct scan_procs *procs)
{
	size_t kept = 0;
	int r = list_pids(scan->sys, procs);

	if (r < 0 || procs->n == 0)
		return r;
	look_at_all(scan, procs);
	for (size_t i = 0; i < procs->n; i++)
		if (procs->items[i].pid)
			procs->items[kept++] = procs->items[i];
	procs->n = kept;
	return 0;
}

/* What the caller has seen stands for the walk. */
static int walk_known(const struct engine_scan *scan, struct scan_procs *procs)
{
	const uint64_t host = scan->sys->self_ns.ino[INSP_NS_PID];
	size_t cap = 0;

	for (size_t i = 0; i < scan->n_known; i++) {
		const struct scan_proc *p = &scan->known[i];

		if ((p->exe[0] || (p->pid_ns && p->pid_ns != host)) && add_proc(procs, &cap, p) < 0)
			return -ENOMEM;
	}
	return 0;
}

int engine_scan_procs(struct engine_scan *scan, const struct scan_procs **ret)
{
	/* a walk before that was for less */
	if (scan->procs.programs_only && !scan->programs_only) {
		free(scan->procs.items);
		scan->procs = (struct scan_procs){ 0 };
	}
	if (!scan->procs.done && scan->may_walk && scan->sys->live) {
		int r = scan->n_known ? walk_known(scan, &scan->procs) : walk(scan, &scan->procs);

		if (r < 0)
			return r;
		scan->procs.done = true;
		scan->procs.programs_only = scan->programs_only;
	}
	*ret = &scan->procs;
	return 0;
}

static int compare_pid(const void *key, const void *item)
{
	pid_t x = *(const pid_t *)key, y = ((const struct scan_proc *)item)->pid;

	return (x > y) - (x < y);
}

int engine_proc_ns(const struct engine_scan *scan, pid_t pid, enum insp_ns_type type, uint64_t *ret)
{
	const struct scan_procs *procs = &scan->procs;
	const struct scan_proc *p = NULL;
	uint64_t ino = 0;

	if (procs->n)
		p = bsearch(&pid, procs->items, procs->n, sizeof(*p), compare_pid);
	if (p && type == INSP_NS_PID)
		ino = p->pid_ns;
	else if (p && type == INSP_NS_MNT)
		ino = p->mnt_ns;
	if (!ino)
		return pid_ns_inode(scan->sys->procfd, pid, type, ret);
	*ret = ino;
	return 0;
}
