/* One container: which cgroups are its own, and reading them. */
#include "libinspect/stats/watch.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/resolve/members.h"

#include <poll.h>
#include <time.h>

#define LIMITS_EVERY_NS INT64_C(10000000000)
#define NETDEV_MAX	(64 * 1024)
#define NET_FIELDS	(INSP_STAT_BIT(INSP_STAT_NET_RX) | INSP_STAT_BIT(INSP_STAT_NET_TX))
#define FDS_FIELD	INSP_STAT_BIT(INSP_STAT_FDS)

int64_t stats_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- which cgroup is its own ---- */

/* Whether process pid is the container's by the namespace that sets it apart. */
static bool is_member(const struct insp_sys *sys, const struct watch *w, pid_t pid)
{
	uint64_t ino;
	int r = pid_ns_inode(sys->procfd, pid, w->ns_type, &ino);

	/* gone meanwhile: it says nothing */
	if (r < 0)
		return r == -ENOENT || r == -ESRCH;
	return ino == w->ns_ino ||
	       (w->ns_type == INSP_NS_PID && members_in_pid_ns(sys, pid, w->ns_ino));
}

/* A cgroup without the container's id in its path is its own when nobody else is in it. */
static bool holds_only_members(const struct insp_sys *sys, const struct watch *w, int cgroupfd)
{
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = cgroup_procs(cgroupfd, &pids);

	if (n <= 0 || w->ns_ino == 0)
		return false;
	for (ssize_t i = 0; i < n; i++)
		if (!is_member(sys, w, pids[i]))
			return false;
	return true;
}

/* The directory of the container's own cgroup in the hierarchy of line; its path is *ret_path. -ENOENT: it has none. */
static int open_own(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
		    const struct watch *w, const char *id, const struct cgroup_line *line,
		    char **ret_path)
{
	size_t by_id = members_own_part(line->path, id);
	size_t len = by_id ? by_id : (size_t)(cgroup_telling_name(line->path).end - line->path);
	_cleanup_free_ char *path = strndup(line->path, len);
	struct cgroup_line whole = { line->hierarchy, line->controllers, path };
	_cleanup_close_ int fd = -EBADF;

	if (!path)
		return -ENOMEM;
	if (len == 0)
		return -ENOENT;
	fd = cgroup_open(sys, mounts, &whole);
	if (fd < 0)
		return fd;
	if (!by_id && !holds_only_members(sys, w, fd))
		return -ENOENT;
	*ret_path = TAKE_PTR(path);
	return TAKE_FD(fd);
}

static int add_line(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
		    const char *note, struct watch *w, const char *id,
		    const struct cgroup_line *line)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = open_own(sys, mounts, w, id, line, &path);
	bool v2 = line->hierarchy == 0;
	int r;

	if (fd < 0)
		return fd == -ENOMEM || fd == -EMFILE ? fd : 0;
	r = cgfiles_add(&w->files, fd, v2 ? NULL : line->controllers, w->fields);
	if (v2 ? *note == '\0' : cgroup_has_controller(line->controllers, note))
		w->path = TAKE_PTR(path);
	if (w->cgroupfd < 0 && w->fields & FDS_FIELD)
		w->cgroupfd = TAKE_FD(fd);
	return r;
}

/* v2's line comes last: what a v1 hierarchy tells is not asked there. */
static int open_cgroups(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
			const char *note, struct watch *w, const char *id)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	int r = cgroup_read(sys->procfd, w->init->pid, &lines);

	for (size_t i = 0; i < lines.n && r >= 0; i++)
		r = add_line(sys, mounts, note, w, id, &lines.items[i]);
	return r;
}

/* ---- network ---- */

/* What goes through the host's own network is no container's. */
static void open_net(const struct insp_sys *sys, struct watch *w)
{
	struct insp_ns_set set = { 0 };

	if (!(w->fields & NET_FIELDS) || insp_pid_namespaces(w->init, &set, NULL) < 0 ||
	    set.ino[INSP_NS_NET] == 0 || set.ino[INSP_NS_NET] == sys->self_ns.ino[INSP_NS_NET])
		return;
	w->netfd = openat(w->init->procfd, "net/dev", O_RDONLY | O_CLOEXEC);
	if (w->netfd < 0)
		w->netfd = -EBADF;
}

static void read_net(const struct watch *w, struct insp_sample *sample)
{
	char buf[NETDEV_MAX];
	ssize_t n = w->netfd >= 0 ? pread(w->netfd, buf, sizeof(buf), 0) : -1;

	if (n < 0 || !stat_parse_netdev(buf, (size_t)n, &sample->value[INSP_STAT_NET_RX],
					&sample->value[INSP_STAT_NET_TX]))
		return;
	sample->known |= NET_FIELDS;
}

/* ---- open files ---- */

/* Since Linux 6.2 the directory's size is how many there are. */
static uint64_t count_fds(const struct insp_sys *sys, pid_t pid)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct stat st;
	uint64_t n = 0;
	char path[32];

	snprintf(path, sizeof(path), "%d/fd", pid);
	if (fstatat(sys->procfd, path, &st, 0) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	if (io_opendir(sys->procfd, path, &dir) < 0)
		return 0;
	for_each_entry (de, dir)
		n++;
	return n;
}

static void read_fds(const struct insp_sys *sys, const struct watch *w, struct insp_sample *sample)
{
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = w->cgroupfd >= 0 ? cgroup_procs(w->cgroupfd, &pids) : -ENOENT;
	uint64_t sum = 0;

	for (ssize_t i = 0; i < n; i++)
		sum += count_fds(sys, pids[i]);
	for (size_t i = 0; n < 0 && i < w->sum.n; i++)
		sum += count_fds(sys, w->sum.items[i].pid);
	if (n < 0 && w->sum.n == 0)
		return;
	sample->value[INSP_STAT_FDS] = sum;
	sample->known |= FDS_FIELD;
}

/* ---- the container ---- */

static void watch_closep(struct watch **w)
{
	watch_close(*w);
}

int watch_open(struct insp_sys *sys, const struct cgroup_mounts *mounts, const char *note,
	       const struct insp_container *c, uint32_t fields, struct watch **ret)
{
	_cleanup_(watch_closep) struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fields = fields;
	w->cgroupfd = w->netfd = -EBADF;
	r = insp_container_init(sys, c, &w->init, NULL);
	if (r < 0)
		return r;
	(void)members_namespace(sys, w->init, &w->ns_type, &w->ns_ino);
	r = open_cgroups(sys, mounts, note, w, c->id);
	if (r < 0)
		return r;
	open_net(sys, w);
	w->summing = fields & STAT_SUMMABLE & ~w->files.covered;
	if (fields & FDS_FIELD && w->cgroupfd < 0)
		w->summing |= FDS_FIELD;
	/* all of it was asked by number: only while it lives were the answers about it */
	if (!insp_pid_alive(w->init))
		return -ESRCH;
	*ret = TAKE_PTR(w);
	return 0;
}

struct watch *watch_close(struct watch *w)
{
	if (!w)
		return NULL;
	insp_pid_close(w->init);
	cgfiles_clear(&w->files);
	procsum_clear(&w->sum);
	util_close(w->cgroupfd);
	util_close(w->netfd);
	free(w->path);
	free(w);
	return NULL;
}

bool watch_ended(const struct watch *w)
{
	return !insp_pid_alive(w->init);
}

/* Limits that were not read again are as they were. */
static void keep_limits(const struct watch *w, struct insp_sample *sample)
{
	static const enum insp_stat limits[] = { INSP_STAT_CPU_LIMIT, INSP_STAT_MEM_LIMIT,
						 INSP_STAT_PIDS_LIMIT };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (insp_sample_has(sample, limits[i]) || !insp_sample_has(&w->last, limits[i]))
			continue;
		sample->value[limits[i]] = w->last.value[limits[i]];
		sample->known |= INSP_STAT_BIT(limits[i]);
	}
}

int watch_read(struct insp_sys *sys, struct watch *w, struct insp_sample *ret)
{
	struct insp_sample sample = { .at = stats_now() };
	bool slow = sample.at - w->limits_at >= LIMITS_EVERY_NS || w->limits_at == 0;
	int r = cgfiles_read(&w->files, slow, &sample);

	if (r < 0)
		return r;
	if (slow)
		w->limits_at = sample.at;
	else
		keep_limits(w, &sample);
	read_net(w, &sample);
	if (w->summing & STAT_SUMMABLE)
		procsum_read(sys, &w->sum, w->summing, &sample);
	if (w->fields & FDS_FIELD)
		read_fds(sys, w, &sample);
	sample.known &= w->fields;
	w->last = *ret = sample;
	return 0;
}
