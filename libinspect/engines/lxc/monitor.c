#include "libinspect/engines/lxc/monitor.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"

#include <sys/stat.h>

#define TITLE "[lxc monitor] "
#define RETRIES_MAX \
	8 /* containers of one name, in several lxcpaths, that are found without a walk */

void lxc_monitor_free(struct lxc_monitor *m)
{
	hostproc_free(&m->proc);
	free(m->path);
	free(m->name);
	*m = (struct lxc_monitor){ 0 };
}

void lxc_live_free(struct lxc_live *live)
{
	for (size_t i = 0; i < live->n; i++)
		lxc_monitor_free(&live->items[i]);
	free(live->items);
	freezer_done(&live->freezer);
	live->items = NULL;
	live->n = 0;
}

/* A name has no blank (lxc takes none), a path may. */
int lxc_monitor_parse(const char *buf, size_t len, char **ret_path, char **ret_name)
{
	size_t title = strlen(TITLE), end;
	const char *blank;

	len = strnlen(buf, len);
	if (len <= title || memcmp(buf, TITLE, title) != 0)
		return -EBADMSG;
	blank = memrchr(buf + title, ' ', len - title);
	if (!blank || blank + 1 == buf + len || buf[title] != '/')
		return -EBADMSG;
	end = (size_t)(blank - buf);
	while (end > title + 1 && buf[end - 1] == '/')
		end--;
	*ret_path = strndup(buf + title, end - title);
	*ret_name = strndup(blank + 1, len - (size_t)(blank + 1 - buf));
	if (*ret_path && *ret_name)
		return 0;
	free(*ret_path);
	free(*ret_name);
	return -ENOMEM;
}

static bool is_program(const struct lxc_live *live, const char *exe)
{
	for (const char *const *p = live->programs; *p; p++)
		if (str_starts(exe, *p))
			return true;
	return false;
}

/* 1 when process pid, whose program is one of the engine's, is a monitor. */
static int read_monitor(struct lxc_live *live, pid_t pid, struct lxc_monitor *ret)
{
	_cleanup_lxc_monitor_ struct lxc_monitor m = { 0 };
	_cleanup_io_buf_ struct io_buf args = { 0 };
	struct insp_sys *sys = live->scan->sys;
	int r = hostproc_read(sys, pid, &m.proc);

	/* a user's starts in the host's user namespace; only its container has another */
	if (r <= 0 || m.proc.rootless)
		return r < 0 ? r : 0;
	r = hostproc_args(sys, &m.proc, &args);
	if (r == 0)
		r = lxc_monitor_parse(args.data, args.len, &m.path, &m.name);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	*ret = m;
	m = (struct lxc_monitor){ 0 };
	return 1;
}

static int add(struct lxc_live *live, struct lxc_monitor *m)
{
	struct lxc_monitor *items = reallocarray(live->items, live->n + 1, sizeof(*items));

	if (!items) {
		lxc_monitor_free(m);
		return -ENOMEM;
	}
	live->items = items;
	live->items[live->n++] = *m;
	return 0;
}

int lxc_live_walk(struct lxc_live *live)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(live->scan, &procs);

	if (r < 0 || live->walked || !live->scan->procs.done)
		return r;
	for (size_t i = 0; i < procs->n; i++) {
		struct lxc_monitor m;

		if (!is_program(live, procs->items[i].exe))
			continue;
		r = read_monitor(live, procs->items[i].pid, &m);
		if (r > 0)
			r = add(live, &m);
		if (r < 0)
			return r;
	}
	live->walked = true;
	return 0;
}

int lxc_live_must_walk(struct lxc_live *live)
{
	bool may = live->scan->may_walk;
	int r;

	live->scan->may_walk = true;
	r = lxc_live_walk(live);
	live->scan->may_walk = may;
	return r;
}

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(b);

	while (n > 1 && b[n - 1] == '/')
		n--;
	return strlen(a) == n && memcmp(a, b, n) == 0;
}

/*
 * Paths of a program whose files are this host's are compared by what they lead to. One with mounts of its own (a snap,
 * an engine in an image) has to call it as this host does; lxc_live_claim() asks more of that.
 */
bool lxc_monitor_is_of(const struct insp_sys *sys, const struct lxc_monitor *m, int fd,
		       const char *path)
{
	_cleanup_free_ char *theirs = NULL;
	_cleanup_close_ int other = -EBADF;
	struct stat a, b;

	if (same_path(m->path, path) && (!m->proc.prefix || !*m->proc.prefix))
		return true;
	if (!m->proc.prefix || m->proc.owner != 0)
		return false;
	theirs = str_format("%s%s", m->proc.prefix, m->path);
	other = theirs ? sys_open_dir(sys, theirs) : -ENOMEM;
	return other >= 0 && fstat(other, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * A program with mounts of its own may be a container's that was given the host's processes (--pid=host): what it calls
 * its container must then be in a cgroup that only the host can make, the first component of its path.
 */
static bool is_in_own_cgroup(const struct insp_sys *sys, pid_t pid, const char *name)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	const struct cgroup_line *best;
	const char *rest;

	if (cgroup_read(sys->procfd, pid, &lines) < 0)
		return false;
	best = cgroup_best(&lines);
	rest = best ? str_after(best->path, "/lxc.payload.") : NULL;
	rest = rest ? str_after(rest, name) : NULL;
	return rest && (*rest == '\0' || *rest == '/' || *rest == '-');
}

/* 1 when the monitor's child was claimed for c. */
static int claim_child(struct lxc_live *live, struct lxc_monitor *m, struct insp_container *c)
{
	struct engine_scan *scan = live->scan;
	uint64_t start;
	pid_t pid;
	int r;

	if (m->proc.owner != c->owner)
		return 0;
	r = hostproc_container(scan, &m->proc, &pid, &start);
	if (r <= 0 || (!m->proc.prefix && !is_in_own_cgroup(scan->sys, pid, m->name)))
		return r < 0 ? r : 0;
	r = engine_claim_init(scan, c, pid, start);
	if (r <= 0)
		return r;
	m->claimed = true;
	c->state =
		freezer_frozen(&live->freezer, scan, pid) ? INSP_STATE_PAUSED : INSP_STATE_RUNNING;
	c->started = insp_sys_ticks_to_time(scan->sys, start);
	return 1;
}

static int claim_walked(struct lxc_live *live, int fd, const char *path, const char *name,
			struct insp_container *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < live->n; i++) {
		struct lxc_monitor *m = &live->items[i];

		if (!m->claimed && strcmp(m->name, name) == 0 &&
		    lxc_monitor_is_of(live->scan->sys, m, fd, path))
			r = claim_child(live, m, c);
	}
	return r;
}

/* The processes of cgroup /NAME in the first hierarchy that has it. Returns how many, or -errno. */
static ssize_t procs_of(struct lxc_live *live, const char *name, pid_t **ret)
{
	const struct cgroup_mounts *mounts = freezer_mounts(&live->freezer, live->scan);
	static const char *const v1[] = { "name=systemd", "freezer", "memory" };
	struct cgroup_line line = { 0, "", name };
	_cleanup_close_ int fd = -EBADF;

	if (!mounts)
		return -ENOENT;
	fd = mounts->v2 ? cgroup_open(live->scan->sys, mounts, &line) : -ENOENT;
	for (size_t i = 0; fd < 0 && mounts->n_v1 && i < ARRAY_SIZE(v1); i++) {
		line = (struct cgroup_line){ 1, v1[i], name };
		fd = cgroup_open(live->scan->sys, mounts, &line);
	}
	return fd < 0 ? fd : cgroup_procs(fd, ret);
}

/* 1: claimed. 0: there is such a cgroup, of something else. -ENOENT: none. */
static int claim_in_cgroup(struct lxc_live *live, const char *cgroup, int fd, const char *path,
			   const char *name, struct insp_container *c)
{
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = procs_of(live, cgroup, &pids);
	int r = n == -ENOMEM ? -ENOMEM : 0;

	for (ssize_t i = 0; r == 0 && i < n; i++) {
		_cleanup_lxc_monitor_ struct lxc_monitor m = { 0 };
		char exe[16];

		if (engine_proc_exe(live->scan->sys, pids[i], exe, sizeof(exe)) < 0 ||
		    !is_program(live, exe))
			continue;
		r = read_monitor(live, pids[i], &m);
		if (r > 0)
			r = strcmp(m.name, name) == 0 &&
					    lxc_monitor_is_of(live->scan->sys, &m, fd, path)
				    ? claim_child(live, &m, c)
				    : 0;
	}
	return n < 0 && r == 0 ? -ENOENT : r;
}

/* liblxc puts -1, -2 … behind the name where the cgroup is there already: another container, or one that was left. */
static int claim_by_form(struct lxc_live *live, const char *form, int fd, const char *path,
			 const char *name, struct insp_container *c)
{
	int r = 0;

	for (int retry = 0; r == 0 && retry < RETRIES_MAX; retry++) {
		_cleanup_free_ char *cgroup = retry ? str_format("%s%s-%d", form, name, retry)
						    : str_format("%s%s", form, name);

		r = cgroup ? claim_in_cgroup(live, cgroup, fd, path, name, c) : -ENOMEM;
	}
	return r == -ENOENT ? 0 : r;
}

static bool has_procs(struct lxc_live *live, const char *form, const char *name)
{
	_cleanup_free_ char *cgroup = str_format("%s%s", form, name);
	_cleanup_free_ pid_t *pids = NULL;

	return cgroup && procs_of(live, cgroup, &pids) > 0;
}

static int claim_by_cgroups(struct lxc_live *live, int fd, const char *path, const char *name,
			    struct insp_container *c)
{
	/* liblxc 4.0 and later; 3.1 */
	int r = claim_by_form(live, "/lxc.monitor.", fd, path, name, c);

	if (r == 0)
		r = claim_by_form(live, "/lxc.monitor/", fd, path, name, c);
	/* its monitor is elsewhere (before 3.1 it stayed where it was started): among all processes */
	if (r == 0 && (has_procs(live, "/lxc/", name) || has_procs(live, "/lxc.payload.", name))) {
		r = lxc_live_must_walk(live);
		if (r == 0)
			r = claim_walked(live, fd, path, name, c);
	}
	return r;
}

int lxc_live_claim(struct lxc_live *live, int fd, const char *path, const char *name,
		   struct insp_container *c)
{
	int r;

	if (!live->scan->sys->live)
		return 0;
	r = live->walked ? claim_walked(live, fd, path, name, c)
			 : claim_by_cgroups(live, fd, path, name, c);
	return r < 0 ? r : 0;
}
