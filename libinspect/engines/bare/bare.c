/*
 * Containers that no state store claims: what unshare, bwrap, a demo or an engine that sonde does not know has put
 * into namespaces of its own. There are no files: everything is what the kernel says. docs/formats/bare.md.
 *
 * What a process says of itself (comm, cgroup names it may make) is hostile: names are reduced to a safe alphabet.
 */
#include "libinspect/engines/bare/bare.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/slowread.h"

#include <limits.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#define NAME		 "bare"
#define NAME_LEN_MAX	 128
#define ANCESTORS_MAX	 64
#define COMMAND_LINE_MAX 4096

struct group {
	struct engine_scan *scan;
	const struct bare_members *all;
	const struct bare_member *items; /* the group's slice of all */
	size_t n;
	struct freezer *freezer;
	struct slowread **reader; /* made at the first use */
	struct pid_stat init;
};

/* The process that is pid 1 in the namespace; the one with the lowest pid where none is. */
static pid_t find_init(const struct group *g)
{
	for (size_t i = 0; i < g->n && g->items[0].by_pid; i++) {
		_cleanup_io_buf_ struct io_buf b = { 0 };
		struct pid_status status;
		char path[32];

		snprintf(path, sizeof(path), "%d/status", (int)g->items[i].pid);
		if (io_read_proc(g->scan->sys->procfd, path, PID_STATUS_MAX, &b) == 0 &&
		    pid_parse_status(b.data, b.len, &status) == 0 && status.n_ns_pids > 0 &&
		    status.ns_pids[status.n_ns_pids - 1] == 1)
			return g->items[i].pid;
	}
	return g->items[0].pid;
}

/* Whether pid is in another engine's container, or in a bare group that is not this one. */
static bool in_other_container(const struct group *g, pid_t pid)
{
	const struct insp_sys *sys = g->scan->sys;
	uint64_t pidns, mntns;

	if (pid_ns_inode(sys->procfd, pid, INSP_NS_PID, &pidns) < 0 ||
	    pid_ns_inode(sys->procfd, pid, INSP_NS_MNT, &mntns) < 0)
		return false;
	if (bare_is_claimed(g->all, pidns) || bare_is_claimed(g->all, mntns))
		return true;
	return pidns != sys->self_ns.ino[INSP_NS_PID] && pidns != g->items[0].key;
}

/* A container inside a container is the outer one's business. */
static bool is_nested(const struct group *g)
{
	pid_t pid = g->init.ppid;

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct pid_stat st;

		if (in_other_container(g, pid))
			return true;
		if (pid_read_stat(g->scan->sys->procfd, pid, &st) < 0)
			return false;
		pid = st.ppid;
	}
	return false;
}

/* Letters, digits and a few marks stay: what may stand in a reference, a file name, a shell word. */
static void sanitise(char *s)
{
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("._@+-", *s)))
			*s = '_';
}

static bool is_member(const struct group *g, pid_t pid)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].pid == pid)
			return true;
	/* who started it and waits for it may share the cgroup */
	return pid == g->init.ppid;
}

/* Whether the cgroup of a line has no processes but the group's. */
static bool owns_cgroup(const struct group *g, const struct cgroup_line *line)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n;

	if (!freezer_mounts(g->freezer, g->scan))
		return false;
	fd = cgroup_open(g->scan->sys, freezer_mounts(g->freezer, g->scan), line);
	n = fd < 0 ? fd : cgroup_procs(fd, &pids);
	for (ssize_t i = 0; i < n; i++)
		if (!is_member(g, pids[i]))
			return false;
	return n > 0;
}

/* The telling component of the group's own cgroup; NULL when it has none of its own, or memory is out. */
static char *cgroup_name(const struct group *g)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	const struct cgroup_line *best;
	struct span name;

	if (cgroup_read(g->scan->sys->procfd, g->init.pid, &lines) < 0)
		return NULL;
	best = cgroup_best(&lines);
	if (!best)
		return NULL;
	name = cgroup_telling_name(best->path);
	if (span_len(&name) == 0 || !owns_cgroup(g, best))
		return NULL;
	return strndup(name.p, MIN_OF(span_len(&name), (size_t)NAME_LEN_MAX));
}

static int set_name(const struct group *g, struct insp_container *c)
{
	_cleanup_free_ char *name = cgroup_name(g);

	if (!name)
		name = str_format("%s-%d", g->init.comm, (int)g->init.pid);
	if (!name)
		return -ENOMEM;
	sanitise(name);
	return container_set(&c->name, name);
}

/* Who made the user namespace it is in; root when that is the host's, or cannot be told. */
static uid_t find_owner(const struct insp_sys *sys, pid_t pid)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t ino;
	char path[32];
	uid_t uid;

	if (pid_ns_inode(sys->procfd, pid, INSP_NS_USER, &ino) < 0 ||
	    ino == sys->self_ns.ino[INSP_NS_USER])
		return 0;
	snprintf(path, sizeof(path), "%d/ns/user", (int)pid);
	fd = openat(sys->procfd, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && ioctl(fd, NS_GET_OWNER_UID, &uid) == 0 ? uid : 0;
}

/* Its memory is the target's: read by a child that may be given up. */
static int set_command(const struct group *g, struct insp_container *c)
{
	_cleanup_free_ char *line = NULL;
	size_t len;

	if (!*g->reader && slowread_new(g->scan->sys, g->reader) < 0)
		return 0;
	if (slowread_read(*g->reader, g->init.pid, "cmdline", COMMAND_LINE_MAX, &line, &len) < 0)
		return 0;
	while (len > 0 && line[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	return container_set(&c->command, line);
}

static bool has_option(const char *options, const char *name)
{
	struct span s = span_of(options, strlen(options)), word;

	while (span_until(&s, ',', &word))
		if (span_after(&word, name) && word.p == word.end)
			return true;
	return false;
}

/* Where a chroot put it; after pivot_root the kernel says "/", which says nothing. */
static int set_rootfs(const struct group *g, struct insp_container *c)
{
	_cleanup_free_ char *target = NULL;
	char path[32];

	snprintf(path, sizeof(path), "%d/root", (int)g->init.pid);
	if (io_readlink(g->scan->sys->procfd, path, &target) < 0 || str_eq(target, "/"))
		return 0;
	return container_set(&c->rootfs, target);
}

static int fill(const struct group *g, struct insp_container *c)
{
	struct engine_scan *scan = g->scan;
	int r = engine_claim_init(scan, c, g->init.pid, g->init.start);

	if (r <= 0)
		return r;
	c->state =
		freezer_frozen(g->freezer, scan, c->pid) ? INSP_STATE_PAUSED : INSP_STATE_RUNNING;
	c->started = insp_sys_ticks_to_time(scan->sys, c->pid_start);
	r = set_rootfs(g, c);
	if (r == 0 && (scan->want & INSP_WANT_DETAIL))
		r = set_command(g, c);
	if (r == 0)
		r = engine_layers_from_mounts(scan, c, NULL);
	return r < 0 ? r : 1;
}

/*
 * A daemon that shut itself into an empty, noexec root with nothing mounted below, as pasta and passt beside rootless
 * podman's containers do: nothing can be started in there, so it is no container.
 */
static bool is_shut_in(const struct group *g)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	return mountinfo_read(g->scan->sys, g->init.pid, &t, NULL) == 0 && t.n == 1 &&
	       str_eq(t.items[0].target, "/") && has_option(t.items[0].options, "noexec");
}

static int add_group(struct group *g)
{
	_cleanup_container_ struct insp_container *c = NULL;
	const struct insp_sys *sys = g->scan->sys;
	char id[64];
	int r;

	if (pid_read_stat(sys->procfd, find_init(g), &g->init) < 0 || is_nested(g) || is_shut_in(g))
		return 0;
	if (g->items[0].by_root)
		snprintf(id, sizeof(id), "root-%u.%u-%llu", g->items[0].root_major,
			 g->items[0].root_minor, (unsigned long long)g->items[0].key);
	else
		snprintf(id, sizeof(id), "%llu", (unsigned long long)g->items[0].key);
	c = container_new(NAME, id);
	if (!c)
		return -ENOMEM;
	c->owner = find_owner(sys, g->init.pid);
	r = set_name(g, c);
	if (r < 0 || !engine_scan_wants(g->scan, c->id, c->name))
		return r;
	r = fill(g, c);
	return r <= 0 ? r : engine_scan_add(g->scan, TAKE_PTR(c));
}

static int scan_groups(struct engine_scan *scan, const struct bare_members *m, struct group *g)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < m->n; i += g->n) {
		g->items = &m->items[i];
		g->n = 1;
		while (i + g->n < m->n && bare_same_group(&m->items[i + g->n], &m->items[i]))
			g->n++;
		r = add_group(g);
	}
	return r < 0 ? r : 0;
}

static int scan_bare(struct engine_scan *scan)
{
	_cleanup_bare_members_ struct bare_members members = { 0 };
	_cleanup_freezer_ struct freezer freezer = { 0 };
	struct slowread *reader = NULL;
	struct group g = { .scan = scan, .all = &members, .freezer = &freezer, .reader = &reader };
	int r = bare_collect(scan, &members);

	if (r == 0)
		r = scan_groups(scan, &members, &g);
	slowread_free(reader);
	return r;
}

const struct engine engine_bare = { .name = NAME, .scan = scan_bare, .leftovers = true };
