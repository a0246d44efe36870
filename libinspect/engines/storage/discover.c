/*
 * Graph roots that only what runs in them tells: the monitors of their containers, whose command line has the root of the
 * engine that started them, and the overlays that are mounted below one. It walks /proc.
 *
 * Any process can call itself what it likes: which monitor may be believed, and for whom, hostproc.h tells. Of a user's
 * monitor only that user's directory counts, and it speaks for that user alone. A mount counts when it is an overlay in the caller's own mount
 * table, which only root of this host can put there; its directory must be root's.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/hostproc.h"
#include "libinspect/engines/storage/storage.h"
#include "libinspect/kernel/slowread.h"

#define MONITOR		  "conmon"
#define ARGS_MAX	  (64 * 1024)
#define BELOW_GRAPH	  "-containers/"
#define MERGED		  "/merged"
#define USER_MONITORS_MAX 256 /* of all users, which are read one after the other */

/* ---- mounts ---- */

/* GRAPH/overlay/ID/merged -> the length of GRAPH; 0: another path. */
static size_t graph_len(const char *target)
{
	static const char driver[] = "/overlay/";
	size_t tail = strlen(driver) + STORAGE_ID_LEN + strlen(MERGED), len = strlen(target);
	const char *p;

	if (len <= tail || !str_ends(target, MERGED))
		return 0;
	p = target + len - tail;
	if (!str_starts(p, driver))
		return 0;
	p += strlen(driver);
	for (size_t i = 0; i < STORAGE_ID_LEN; i++)
		if (!strchr("0123456789abcdef", p[i]))
			return 0;
	return len - tail;
}

static int add_graph(struct engine_scan *scan, struct storage_roots *roots, const char *path,
		     uid_t owner)
{
	struct storage_place place = { .path = path, .only = owner };
	int r;

	/* one that was looked at already, whatever came of it */
	for (size_t i = 0; i < roots->n; i++)
		if (str_eq(roots->items[i]->path, path))
			return 0;
	r = storage_add_root(scan, roots, &place);
	return r == -ENOMEM ? r : 0;
}

static int from_mounts(struct engine_scan *scan, struct storage_roots *roots)
{
	const struct mount_table *table;

	if (engine_scan_mounts(scan, &table) < 0)
		return 0;
	for (size_t i = 0; i < table->n; i++) {
		const struct mount_entry *m = &table->items[i];
		size_t len = str_eq(m->fstype, "overlay") ? graph_len(m->target) : 0;
		_cleanup_free_ char *graph = len > 0 ? strndup(m->target, len) : NULL;
		int r;

		if (len == 0)
			continue;
		r = graph ? add_graph(scan, roots, graph, 0) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- monitors ---- */

/* The word behind -b: GRAPH/DRIVER-containers/ID/userdata. -> a new string, GRAPH; NULL: none. */
static char *graph_of_args(const char *args, size_t len)
{
	const char *p = args, *end = args + len;

	while (p < end && !str_eq(p, "-b") && !str_eq(p, "--bundle"))
		p += strlen(p) + 1;
	if (p >= end || (p += strlen(p) + 1) >= end || *p != '/')
		return NULL;
	end = strstr(p, BELOW_GRAPH);
	while (end && end > p && *end != '/')
		end--;
	return end && end > p ? strndup(p, (size_t)(end - p)) : NULL;
}

/* A user's process may stall whoever reads its arguments: bounded. */
static int read_args(struct slowread *reader, pid_t pid, char **ret, size_t *ret_len)
{
	return slowread_read(reader, pid, "cmdline", ARGS_MAX, ret, ret_len);
}

/*
 * Whether it stands in a graph root that is known: libpod starts a monitor in the container's bundle. That is one look,
 * where its arguments take a process to read them, and a name should not wait for that.
 */
static bool is_of_known(const struct engine_scan *scan, const struct storage_roots *roots,
			pid_t pid)
{
	_cleanup_free_ char *cwd = NULL;
	char link[32];

	snprintf(link, sizeof(link), "%d/cwd", (int)pid);
	if (io_readlink(scan->sys->procfd, link, &cwd) < 0)
		return false;
	for (size_t i = 0; i < roots->n; i++) {
		const char *rest = str_after(cwd, roots->items[i]->path);

		if (rest && *rest == '/' && strstr(rest, BELOW_GRAPH) == strchr(rest, '-'))
			return true;
	}
	return false;
}

static int add_monitor(struct engine_scan *scan, struct storage_roots *roots,
		       struct slowread *reader, const struct hostproc *proc)
{
	_cleanup_free_ char *args = NULL, *graph = NULL, *path = NULL;
	size_t len = 0;
	int r = read_args(reader, proc->pid, &args, &len);

	if (r < 0 || !hostproc_same(scan->sys, proc))
		return r == -ENOMEM ? r : 0;
	graph = graph_of_args(args, len);
	if (!graph)
		return 0;
	path = str_format("%s%s", proc->prefix ? proc->prefix : "", graph);
	return path ? add_graph(scan, roots, path, proc->owner) : -ENOMEM;
}

static int from_monitors(struct engine_scan *scan, struct storage_roots *roots)
{
	struct slowread *reader = NULL;
	const struct scan_procs *procs;
	size_t of_users = 0;
	int r = engine_scan_procs(scan, &procs);

	for (size_t i = 0; r == 0 && i < procs->n; i++) {
		_cleanup_hostproc_ struct hostproc proc = { 0 };

		if (!str_eq(procs->items[i].exe, MONITOR) ||
		    is_of_known(scan, roots, procs->items[i].pid))
			continue;
		r = hostproc_read(scan->sys, procs->items[i].pid, &proc);
		if (r < 0)
			break;
		if (r == 0 || !(proc.prefix || proc.rootless))
			continue;
		r = 0;
		if (proc.owner != 0 && of_users++ >= USER_MONITORS_MAX)
			continue;
		if (!reader)
			r = slowread_new(scan->sys, &reader);
		if (r == 0)
			r = add_monitor(scan, roots, reader, &proc);
	}
	slowread_free(reader);
	return r == -ENOMEM ? r : 0;
}

int storage_discover(struct engine_scan *scan, struct storage_roots *roots)
{
	int r;

	if (!scan->may_walk || !scan->sys->live)
		return 0;
	r = from_mounts(scan, roots);
	return r < 0 ? r : from_monitors(scan, roots);
}
