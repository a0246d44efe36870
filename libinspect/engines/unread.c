/*
 * For a caller who is not root: containers whose store he may not read, by the ids in the cgroup paths of processes that
 * are not his, which everyone may read. Such an id is a claim: who has a cgroup delegated to him names those below it as
 * he likes (docs/formats/bare.md). Only processes whose namespaces the kernel keeps from the caller make a record, so
 * that none of them can be entered by it.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/kernel/pid.h"

#define ID_SIZE 65 /* 64 hexadecimal digits */

/* A container in the making: one for each id. */
struct claim {
	struct insp_container *c;
	bool has_init; /* c->pid is pid 1 of its namespace: no better one comes */
};
struct claims {
	struct claim *items;
	size_t n, cap;
};

static void claims_clear(struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		insp_container_free(claims->items[i].c);
	free(claims->items);
	*claims = (struct claims){ 0 };
}

/* Whether what stands before id, anywhere in path, ends in mark. */
static bool has_mark(const char *path, const char *mark, const char *id)
{
	size_t len = strlen(mark);

	for (const char *p = strstr(path, id); p; p = strstr(p + 1, id))
		if ((size_t)(p - path) >= len && memcmp(p - len, mark, len) == 0)
			return true;
	return false;
}

static bool marks_one(const struct engine *engine, const struct cgroup_lines *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		for (const char *const *m = engine->cgroup_marks; m && *m; m++)
			if (has_mark(l->items[i].path, *m, id))
				return true;
	return false;
}

const struct engine *engine_by_cgroup(const struct cgroup_lines *l, const char *id)
{
	for (size_t i = 0; engines[i]; i++)
		if (marks_one(engines[i], l, id))
			return engines[i];
	return &engine_bare;
}

static bool is_known(const struct insp_list *found, const char *id)
{
	for (size_t i = 0; i < found->n; i++)
		if (str_eq(found->items[i]->id, id))
			return true;
	return false;
}

static struct claim *find_claim(const struct claims *claims, const char *id)
{
	for (size_t i = 0; i < claims->n; i++)
		if (str_eq(claims->items[i].c->id, id))
			return &claims->items[i];
	return NULL;
}

/* A new one, without a process yet. NULL when memory is out. */
static struct claim *add_claim(struct claims *claims, const struct cgroup_lines *l, const char *id)
{
	if (claims->n == claims->cap) {
		size_t cap = MAX_OF(claims->cap * 2, (size_t)16);
		struct claim *items = reallocarray(claims->items, cap, sizeof(*items));

		if (!items)
			return NULL;
		claims->items = items;
		claims->cap = cap;
	}
	claims->items[claims->n] =
		(struct claim){ .c = container_new(engine_by_cgroup(l, id)->name, id) };
	return claims->items[claims->n].c ? &claims->items[claims->n++] : NULL;
}

/* What one process says of itself. */
struct look {
	struct pid_stat stat;
	struct cgroup_lines lines;
	char id[ID_SIZE];
	bool is_init;
};

static bool is_alive(const struct pid_stat *st)
{
	return st->state != 'Z' && st->state != 'X' && st->state != 'x';
}

/* Reads it all by number; counts only if the number means the same process afterwards. 1, 0, -ENOMEM. */
static int look_at(const struct insp_sys *sys, pid_t pid, struct look *l)
{
	_cleanup_close_ int dirfd = -EBADF;
	struct pid_status status;
	struct pid_stat again;
	char path[16];
	int r = cgroup_read(sys->procfd, pid, &l->lines);

	if (r < 0 || !cgroup_find_id(&l->lines, l->id))
		return r == -ENOMEM ? r : 0;
	snprintf(path, sizeof(path), "%d", (int)pid);
	dirfd = openat(sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || pid_read_stat_at(dirfd, &l->stat) < 0 || !is_alive(&l->stat) ||
	    pid_read_status_at(dirfd, &status) < 0)
		return 0;
	l->is_init = status.n_ns_pids > 0 && status.ns_pids[status.n_ns_pids - 1] == 1;
	return pid_read_stat(sys->procfd, pid, &again) == 0 && again.start == l->stat.start;
}

static int note(struct engine_scan *scan, struct claims *claims, const struct look *l)
{
	const struct cgroup_line *best = cgroup_best(&l->lines);
	struct claim *claim = find_claim(claims, l->id);

	if (claim && (claim->has_init || !l->is_init))
		return 0;
	if (!claim)
		claim = add_claim(claims, &l->lines, l->id);
	if (!claim)
		return -ENOMEM;
	claim->c->pid = l->stat.pid;
	claim->c->pid_start = l->stat.start;
	claim->has_init = l->is_init;
	if (best && (scan->want & INSP_WANT_CGROUP))
		return container_set(&claim->c->cgroup, best->path);
	return 0;
}

static int collect(struct engine_scan *scan, struct claims *claims)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(scan, &procs);

	for (size_t i = 0; r >= 0 && i < procs->n; i++) {
		struct look l = { 0 };

		if (procs->items[i].pid_ns)
			continue;
		r = look_at(scan->sys, procs->items[i].pid, &l);
		if (r > 0 && !is_known(&scan->found, l.id))
			r = note(scan, claims, &l);
		cgroup_lines_free(&l.lines);
	}
	return r < 0 ? r : 0;
}

static int hand_over(struct engine_scan *scan, struct claims *claims)
{
	_cleanup_freezer_ struct freezer freezer = { 0 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < claims->n; i++) {
		struct insp_container *c = TAKE_PTR(claims->items[i].c);

		c->state = freezer_frozen(&freezer, scan, c->pid) ? INSP_STATE_PAUSED
								  : INSP_STATE_RUNNING;
		c->started = insp_sys_ticks_to_time(scan->sys, c->pid_start);
		r = engine_scan_add(scan, c);
	}
	return r;
}

int engine_scan_unread(struct engine_scan *scan)
{
	struct claims claims = { 0 };
	int r;

	if (geteuid() == 0 || !scan->may_walk || scan->programs_only || !scan->sys->live)
		return 0;
	r = collect(scan, &claims);
	if (r == 0)
		r = hand_over(scan, &claims);
	claims_clear(&claims);
	return r;
}
