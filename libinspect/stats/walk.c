/* Containers without a cgroup of their own: whose is each process, told by one walk of /proc for all of them. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/stats/fleet.h"

#define EVERY_NS   INT64_C(2000000000)
#define COST_SHARE 50 /* at most one in so many of the time */

struct found {
	pid_t pid;
	struct member *of;
};

struct finds {
	struct found *items;
	size_t n, cap;
};

static bool is_summed(const struct member *m)
{
	return m->w && m->w->summing;
}

static int add_find(struct finds *finds, pid_t pid, struct member *of)
{
	if (!util_grow(&finds->items, finds->n, &finds->cap, sizeof(*finds->items), 64))
		return -ENOMEM;
	finds->items[finds->n++] = (struct found){ pid, of };
	return 0;
}

/* Inodes of the namespaces that some member is told by; each is read once a process. */
static int look_at(const struct insp_fleet *fleet, pid_t pid, struct finds *finds)
{
	uint64_t ino[INSP_NS_MAX] = { 0 };
	bool read[INSP_NS_MAX] = { false };

	for (size_t i = 0; i < fleet->n; i++) {
		struct member *m = &fleet->members[i];
		enum insp_ns_type type;

		if (!is_summed(m) || m->w->ns_ino == 0)
			continue;
		type = m->w->ns_type;
		if (!read[type] && pid_ns_inode(fleet->sys->procfd, pid, type, &ino[type]) < 0)
			ino[type] = 0;
		read[type] = true;
		if (ino[type] == m->w->ns_ino)
			return add_find(finds, pid, m);
	}
	return 0;
}

static int by_member_and_pid(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Its init is always its own; nothing else is sure of one without a namespace of its own. */
static int hand_out(const struct finds *finds, struct member *m)
{
	_cleanup_free_ pid_t *pids = calloc(finds->n + 1, sizeof(*pids));
	size_t n = 0;

	if (!pids)
		return -ENOMEM;
	for (size_t i = 0; i < finds->n; i++)
		if (finds->items[i].of == m)
			pids[n++] = finds->items[i].pid;
	if (n == 0)
		pids[n++] = m->w->init->pid;
	return procsum_set(&m->w->sum, pids, n);
}

static int walk(struct insp_fleet *fleet, struct finds *finds)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = io_opendir(fleet->sys->procfd, ".", &dir);

	if (r < 0)
		return r;
	for_each_pid (pid, dir) {
		r = look_at(fleet, pid, finds);
		if (r < 0)
			return r;
	}
	if (finds->n)
		qsort(finds->items, finds->n, sizeof(*finds->items), by_member_and_pid);
	return 0;
}

int fleet_walk(struct insp_fleet *fleet)
{
	struct finds finds = { 0 };
	int64_t now = stats_now();
	bool wanted = false;
	int r;

	for (size_t i = 0; i < fleet->n; i++)
		wanted = wanted || is_summed(&fleet->members[i]);
	if (!wanted || (fleet->walked_at &&
			now - fleet->walked_at < MAX_OF(EVERY_NS, COST_SHARE * fleet->walk_cost)))
		return 0;
	r = walk(fleet, &finds);
	for (size_t i = 0; i < fleet->n && r >= 0; i++)
		if (is_summed(&fleet->members[i]))
			r = hand_out(&finds, &fleet->members[i]);
	free(finds.items);
	fleet->walked_at = now;
	fleet->walk_cost = stats_now() - now;
	return r;
}
