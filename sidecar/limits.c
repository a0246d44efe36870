/*
 * A cgroup of the sidecar's own, with limits. cgroups(7); Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst.
 *
 * v1: below the caller's own cgroup, in the hierarchy of each controller. v2: processes live in leaves only, so beside
 * the caller's, below the nearest ancestor that hands the controllers down. Never below the target's: what the
 * session uses is not the target's. Where systemd manages the host it makes the cgroup: scope.c.
 */
#include "sidecar/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define CGROUP2_MAGIC 0x63677270 /* CGROUP2_SUPER_MAGIC of linux/magic.h */
#define CPU_PERIOD_US 100000

enum { MEMORY, CPU, PIDS, CONTROLLERS };

static const char *const controller_names[CONTROLLERS] = { "memory", "cpu", "pids" };

static unsigned wanted_bits(const struct sidecar_limits *w)
{
	return (w->memory ? 1U << MEMORY : 0) | (w->cpus > 0 ? 1U << CPU : 0) |
	       (w->pids ? 1U << PIDS : 0);
}

/* Which of our controllers are among the words of list. */
static unsigned bits_of(const char *list, const char *separators)
{
	unsigned bits = 0;

	for (const char *p = list; *p;) {
		size_t len = strcspn(p, separators);

		for (int i = 0; i < CONTROLLERS; i++)
			if (strlen(controller_names[i]) == len &&
			    memcmp(p, controller_names[i], len) == 0)
				bits |= 1U << i;
		p += len;
		p += strspn(p, separators);
	}
	return bits;
}

static int write_file(int dirfd, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static unsigned read_bits(int dirfd, const char *name)
{
	char buf[512];

	return files_read(dirfd, name, buf, sizeof(buf)) < 0 ? 0 : bits_of(buf, " \n");
}

static int add_parent(struct limits *l, int dirfd, unsigned bits, bool v2)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	l->parent[l->n] = fd;
	l->controllers[l->n] = bits;
	l->v2[l->n] = v2;
	l->n++;
	return 0;
}

/* The directory above in the same hierarchy. -ENOENT: there is none. */
static int open_above(int dirfd)
{
	_cleanup_close_ int fd = openat(dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat here, above;
	struct statfs fs;
	int r;

	if (fd < 0 || fstat(dirfd, &here) < 0 || fstat(fd, &above) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != CGROUP2_MAGIC || here.st_dev != above.st_dev)
		return -ENOENT;
	r = fd;
	fd = -1;
	return r;
}

static bool hands_down(int dirfd, unsigned bits)
{
	return (read_bits(dirfd, "cgroup.subtree_control") & bits) == bits;
}

static bool can_hand_down(int dirfd, unsigned bits)
{
	if ((read_bits(dirfd, "cgroup.controllers") & bits) != bits)
		return false;
	for (int i = 0; i < CONTROLLERS; i++) {
		char text[16];

		snprintf(text, sizeof(text), "+%s", controller_names[i]);
		if ((bits & (1U << i)) && write_file(dirfd, "cgroup.subtree_control", text) < 0)
			return false;
	}
	return true;
}

/* The nearest ancestor, or the cgroup itself, of which test holds. fd or -ENOENT. */
static int find_ancestor(int dirfd, unsigned bits, bool (*test)(int dirfd, unsigned bits))
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);

	while (fd >= 0 && !test(fd, bits)) {
		int above = open_above(fd);

		close(fd);
		fd = above;
	}
	return fd;
}

/* The file that has a controller's limit: there when the controller is on. */
static const char *const limit_files[CONTROLLERS][2] = {
	[MEMORY] = { "memory.max", "memory.limit_in_bytes" },
	[CPU] = { "cpu.max", "cpu.cfs_quota_us" },
	[PIDS] = { "pids.max", "pids.max" },
};

int limits_add_ready(struct limits *l, int dirfd)
{
	int fd = openat(dirfd, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	for (int i = 0; i < CONTROLLERS; i++)
		if (faccessat(dirfd, limit_files[i][0], F_OK, 0) == 0 ||
		    faccessat(dirfd, limit_files[i][1], F_OK, 0) == 0)
			l->controllers[l->n] |= 1U << i;
	l->procs[l->n++] = fd;
	return 0;
}

static int find_v2(struct limits *l, const struct insp_cgroup *own, unsigned bits)
{
	_cleanup_close_ int fd = find_ancestor(own->dirfd, bits, hands_down);

	/* only then is something of the host changed: a controller is switched on */
	if (fd < 0)
		fd = find_ancestor(own->dirfd, bits, can_hand_down);
	return fd < 0 ? -ENOENT : add_parent(l, fd, bits, true);
}

static int find_parents(struct limits *l, const struct insp_cgroups *own, unsigned bits)
{
	unsigned left = bits;

	for (size_t i = 0; i < own->n && left; i++) {
		const struct insp_cgroup *c = &own->items[i];
		unsigned here = c->v2 ? 0 : bits_of(c->controllers, ",") & left;

		if (here && add_parent(l, c->dirfd, here, false) == 0)
			left &= ~here;
	}
	for (size_t i = 0; i < own->n && left; i++)
		if (own->items[i].v2 && find_v2(l, &own->items[i], left) == 0)
			left = 0;
	return (int)left;
}

/* Ours are named sonde-PID-STARTTIME; one whose process is gone was left behind by a kill -9 of everything. */
static void sweep(struct insp_sys *sys, int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	for (struct dirent *de = readdir(dir); de; de = readdir(dir)) {
		_cleanup_pid_ struct insp_pid *owner = NULL;
		uint64_t start;
		int pid, end = 0;

		if (sscanf(de->d_name, "sonde-%d-%" SCNu64 "%n", &pid, &start, &end) != 2 ||
		    de->d_name[end] != '\0' || pid <= 0)
			continue;
		if (insp_pid_open(sys, pid, start, &owner, NULL) == -ESRCH)
			unlinkat(dirfd, de->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

static int set_name(struct insp_sys *sys, struct limits *l, struct insp_err *err)
{
	_cleanup_pid_ struct insp_pid *self = NULL;
	int r = insp_pid_open(sys, getpid(), 0, &self, err);

	if (r < 0)
		return r;
	snprintf(l->name, sizeof(l->name), "sonde-%d-%" PRIu64, (int)getpid(),
		 insp_pid_start(self));
	return 0;
}

static int err_missing(unsigned missing, struct insp_err *err)
{
	int i = 0;

	while (!(missing & (1U << i)))
		i++;
	insp_err_say(err, -ENOTSUP, "no '%s' controller to be had in this host's cgroups",
		     controller_names[i]);
	insp_err_hint(err, "start without that limit, or from a cgroup that it is delegated to");
	return -ENOTSUP;
}

/* Where to make a cgroup of our own. */
static int find_own(struct insp_sys *sys, unsigned bits, struct limits *l, struct insp_err *err)
{
	_cleanup_(insp_cgroups_clear) struct insp_cgroups own = { 0 };
	int r = insp_cgroups_open(sys, getpid(), &own, err);

	if (r < 0)
		return r;
	r = find_parents(l, &own, bits);
	if (r > 0)
		return err_missing((unsigned)r, err);
	for (size_t i = 0; i < l->n; i++)
		sweep(sys, l->parent[i]);
	return 0;
}

int limits_find(struct insp_sys *sys, const struct sidecar_limits *wanted, struct limits *ret,
		struct insp_err *err)
{
	_cleanup_(limits_close) struct limits l = LIMITS_NONE;
	unsigned bits = wanted_bits(wanted);
	int r;

	if (!bits)
		return 0;
	r = set_name(sys, &l, err);
	if (r < 0)
		return r;
	if (scope_wanted()) {
		unsigned missing = bits;

		r = scope_start(sys, wanted, &l, err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < l.n; i++)
			missing &= ~l.controllers[i];
		if (missing)
			return err_missing(missing, err);
	} else {
		r = find_own(sys, bits, &l, err);
		if (r < 0)
			return r;
	}
	*ret = l;
	l = (struct limits)LIMITS_NONE;
	return 0;
}

static int set_memory(int dirfd, bool v2, uint64_t bytes)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	r = write_file(dirfd, v2 ? "memory.max" : "memory.limit_in_bytes", text);
	/* with swap counted in, where it is counted */
	if (r == 0 && v2)
		write_file(dirfd, "memory.swap.max", "0");
	if (r == 0 && !v2)
		write_file(dirfd, "memory.memsw.limit_in_bytes", text);
	return r;
}

static int set_cpu(int dirfd, bool v2, double cpus)
{
	char text[64];

	if (v2) {
		snprintf(text, sizeof(text), "%.0f %d", cpus * CPU_PERIOD_US, CPU_PERIOD_US);
		return write_file(dirfd, "cpu.max", text);
	}
	snprintf(text, sizeof(text), "%.0f", cpus * CPU_PERIOD_US);
	return write_file(dirfd, "cpu.cfs_quota_us", text);
}

static int set_limits(int dirfd, unsigned bits, bool v2, const struct sidecar_limits *w,
		      struct insp_err *err)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%u", w->pids);
	r = bits & (1U << MEMORY) ? set_memory(dirfd, v2, w->memory) : 0;
	if (r < 0)
		return insp_err_set(err, r, "limit the memory to %" PRIu64 " bytes", w->memory);
	r = bits & (1U << CPU) ? set_cpu(dirfd, v2, w->cpus) : 0;
	if (r < 0)
		return insp_err_set(err, r, "limit the processor time to %g cpus", w->cpus);
	r = bits & (1U << PIDS) ? write_file(dirfd, "pids.max", text) : 0;
	if (r < 0)
		return insp_err_set(err, r, "limit the processes to %u", w->pids);
	return 0;
}

int limits_create(struct limits *l, const struct sidecar_limits *wanted, struct insp_err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_close_ int dir = -1;
		int r;

		if (l->parent[i] < 0)
			continue; /* systemd has made it */
		if (mkdirat(l->parent[i], l->name, 0755) < 0)
			return insp_err_set(err, -errno, "make the cgroup '%s'", l->name);
		dir = openat(l->parent[i], l->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return insp_err_set(err, -errno, "open the cgroup '%s'", l->name);
		r = set_limits(dir, l->controllers[i], l->v2[i], wanted, err);
		if (r < 0)
			return r;
		l->procs[i] = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (l->procs[i] < 0)
			return insp_err_set(err, -errno, "open the cgroup '%s'", l->name);
	}
	return 0;
}

int limits_join(const struct limits *l, struct insp_err *err)
{
	for (size_t i = 0; i < l->n; i++)
		/* 0: the writer itself, whatever its pid is in which namespace */
		if (write(l->procs[i], "0", 1) < 0)
			return insp_err_set(err, -errno, "join the cgroup '%s'", l->name);
	return 0;
}

void limits_remove(const struct limits *l)
{
	const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };

	for (size_t i = 0; i < l->n && l->parent[i] >= 0; i++)
		/* a killed process leaves its cgroup a little after it was reaped */
		for (int try = 0; try < 500; try++) {
			if (unlinkat(l->parent[i], l->name, AT_REMOVEDIR) == 0 || errno != EBUSY)
				break;
			nanosleep(&tick, NULL);
		}
}

void limits_close(struct limits *l)
{
	for (size_t i = 0; i < LIMITS_MAX; i++) {
		tool_closep(&l->parent[i]);
		tool_closep(&l->procs[i]);
	}
	tool_closep(&l->hold);
}
