/* All running containers: sampled, new ones taken up, ended ones reported. */
#include "libinspect/stats/fleet.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"

#include <sys/resource.h>

#define RESCAN_MS      10000
#define LIST_SHARE     50		   /* at most one in so many of the time goes into lists */
#define LEAVER_WAIT_NS INT64_C(2000000000) /* how long an engine may take to write the exit code */
#define ENGINE_WAIT_NS \
	INT64_C(3000000000) /* and, from the cgroup on, its record of one that starts */

/* ---- one member ---- */

static void member_clear(struct member *m)
{
	insp_container_free(m->item.c);
	watch_close(m->w);
	*m = (struct member){ 0 };
}

static void open_watch(struct insp_fleet *f, struct member *m)
{
	m->w = watch_close(m->w);
	m->item.sample = (struct insp_sample){ 0 };
	m->item.summed = false;
	if (!m->item.c->pid ||
	    watch_open(f->sys, &f->mounts, f->note, m->item.c, f->opts.fields, &m->w) < 0)
		return;
	m->item.summed = m->w->summing & STAT_SUMMABLE;
	if (m->item.summed)
		f->walked_at = 0;
	if (f->newcomers && m->w->path)
		newcomers_settle(f->newcomers, m->w->path, true);
}

static bool same_process(const struct insp_container *a, const struct insp_container *b)
{
	return a->pid == b->pid && a->pid_start == b->pid_start;
}

static bool same_container(const struct insp_container *a, const struct insp_container *b)
{
	return strcmp(a->engine, b->engine) == 0 && strcmp(a->id, b->id) == 0 &&
	       a->owner == b->owner;
}

static struct member *find_member(struct insp_fleet *f, const struct insp_container *c)
{
	for (size_t i = 0; i < f->n; i++)
		if (same_container(f->members[i].item.c, c) ||
		    (c->pid && same_process(f->members[i].item.c, c)))
			return &f->members[i];
	return NULL;
}

int fleet_adopt(struct insp_fleet *f, struct insp_container *c)
{
	struct member *m = find_member(f, c);
	bool reopen;

	if (!m) {
		if (!util_grow(&f->members, f->n, &f->cap, sizeof(*f->members), 64)) {
			insp_container_free(c);
			return -ENOMEM;
		}
		m = &f->members[f->n++];
		*m = (struct member){ .item.c = c };
		open_watch(f, m);
	} else {
		reopen = !m->w || !same_process(m->item.c, c);
		insp_container_free(m->item.c);
		m->item.c = c;
		if (reopen)
			open_watch(f, m);
	}
	m->listed = true;
	return 0;
}

/* ---- lists of all ---- */

/* A running one that a list lacks stays: a store may have failed just now, and its pidfd tells when it ends. */
static void drop_unlisted(struct insp_fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct member *m = &f->members[i];

		if (m->listed || (m->w && !watch_ended(m->w)))
			f->members[n++] = *m;
		else
			member_clear(m);
	}
	f->n = n;
}

static bool is_wanted(const struct insp_fleet *f, const struct insp_container *c)
{
	if (f->opts.want & INSP_WANT_STOPPED)
		return true;
	return insp_state_is_live(c->state) && c->pid;
}

int fleet_list(struct insp_fleet *f, struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_(insp_list_clear) struct insp_list list = { 0 };
	int64_t began = stats_now();
	int r = insp_list(f->sys, f->opts.want, &list, diags, err);

	f->dirty = false;
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->n; i++)
		f->members[i].listed = false;
	for (size_t i = 0; i < list.n && r >= 0; i++)
		if (is_wanted(f, list.items[i]))
			r = fleet_adopt(f, TAKE_PTR(list.items[i]));
	drop_unlisted(f);
	f->listed_at = stats_now();
	f->list_cost = f->listed_at - began;
	return r < 0 ? insp_err_set(err, r, "watch the containers") : 0;
}

static bool list_is_due(const struct insp_fleet *f)
{
	int64_t rescan = (f->opts.rescan_ms ? f->opts.rescan_ms : RESCAN_MS) * INT64_C(1000000);
	int64_t since = stats_now() - f->listed_at;

	if (f->dirty)
		return since >= LIST_SHARE * f->list_cost;
	return since >= MAX_OF(rescan, LIST_SHARE * f->list_cost);
}

/* ---- who comes ---- */

/* The first process of a cgroup, and of those below it. 0: none. */
static pid_t first_process(const char *top, const char *path)
{
	_cleanup_free_ char *full = str_format("%s%s", top, path);
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_close_ int fd = full ? io_open_dir(AT_FDCWD, full) : -ENOMEM;
	ssize_t n = fd >= 0 ? cgroup_procs(fd, &pids) : fd;

	return n > 0 ? pids[0] : 0;
}

static struct insp_container *container_in(struct insp_fleet *f, const char *path)
{
	pid_t pid = first_process(f->top, path);
	_cleanup_pid_ struct insp_pid *p = NULL;
	struct insp_container *c = NULL;

	if (pid == 0 || insp_pid_open(f->sys, pid, 0, &p, NULL) < 0 ||
	    insp_resolve_pid(f->sys, p, f->opts.want & ~(unsigned)INSP_WANT_STOPPED, &c, NULL) < 0)
		return NULL;
	if (!c->pid || !insp_state_is_live(c->state))
		return insp_container_free(c);
	return c;
}

/* The runtime writes its record before the engine above it does, and a process is there before either. */
static bool may_be_anothers(const struct insp_container *c)
{
	const struct engine *engine = engine_by_name(c->engine, strlen(c->engine));

	return !engine || engine->below || engine->leftovers;
}

static int take_newcomers(struct insp_fleet *f)
{
	int64_t now = stats_now(), age;
	size_t at = 0;
	const char *path;
	int r = 0;

	while (r >= 0 && (path = newcomers_next(f->newcomers, &at, now, &age))) {
		struct insp_container *c = container_in(f, path);
		_cleanup_free_ char *copy = NULL;

		if (!c)
			continue;
		if (age < ENGINE_WAIT_NS && may_be_anothers(c)) {
			insp_container_free(c);
			continue;
		}
		/* fleet_adopt() settles the directory that it samples: path may be gone after it */
		copy = strdup(path);
		r = fleet_adopt(f, c);
		at = 0;
		if (!copy)
			return -ENOMEM;
		newcomers_settle(f->newcomers, copy, false);
	}
	return r;
}

/* ---- who goes ---- */

static void report(struct insp_fleet *f, struct insp_container *c)
{
	if (!util_grow(&f->ended, f->n_ended, &f->cap_ended, sizeof(*f->ended), 8)) {
		insp_container_free(c);
		return;
	}
	f->ended[f->n_ended++] = c;
}

static void leave(struct insp_fleet *f, struct member *m)
{
	struct insp_container *c = TAKE_PTR(m->item.c);

	if (f->newcomers && m->w->path) /* it may be started again in the same directory */
		newcomers_expect(f->newcomers, m->w->path, stats_now());
	m->w = watch_close(m->w);
	if (f->opts.want & INSP_WANT_STOPPED)
		f->dirty = true;
	if (!util_grow(&f->leavers, f->n_leavers, &f->cap_leavers, sizeof(*f->leavers), 8)) {
		insp_container_free(c);
		return;
	}
	f->leavers[f->n_leavers++] = (struct leaver){ c, stats_now() };
}

static void take_leavers(struct insp_fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->members[i].w && watch_ended(f->members[i].w))
			leave(f, &f->members[i]);
		else
			f->members[n++] = f->members[i];
	}
	f->n = n;
}

/*
 * The record of a container that ended, with its exit code. -EAGAIN: it does not say yet that it ended; -ENOENT: there is none
 * any more.
 */
static int ended_record(struct insp_fleet *f, const struct insp_container *c,
			struct insp_container **ret)
{
	_cleanup_free_ char *ref = str_format("%s:%s", c->engine, c->id);
	struct insp_container *now = NULL;
	int r;

	if (!ref)
		return -ENOMEM;
	r = insp_resolve(f->sys, ref, f->opts.want | INSP_WANT_STOPPED, &now, NULL, NULL);
	if (r < 0)
		return r;
	if (now->exit_code == INSP_EXIT_UNSET && insp_state_is_live(now->state)) {
		insp_container_free(now);
		return -EAGAIN;
	}
	*ret = now;
	return 0;
}

static void settle_leavers(struct insp_fleet *f)
{
	int64_t now = stats_now();
	size_t n = 0;

	for (size_t i = 0; i < f->n_leavers; i++) {
		struct leaver l = f->leavers[i];
		struct insp_container *record = NULL;
		int r = ended_record(f, l.c, &record);

		if (r < 0 && r != -ENOENT && now - l.since < LEAVER_WAIT_NS) {
			f->leavers[n++] = l;
			continue;
		}
		if (record)
			insp_container_free(l.c);
		report(f, record ? record : l.c);
	}
	f->n_leavers = n;
}

static void forget_ended(struct insp_fleet *f)
{
	for (size_t i = 0; i < f->n_ended; i++)
		insp_container_free(f->ended[i]);
	f->n_ended = 0;
}

/* ---- the fleet ---- */

/* The hierarchy that every runtime makes a cgroup in. */
static void choose_note(struct insp_fleet *f)
{
	static const char *const names[] = { "memory", "pids", "devices", "freezer", "cpu" };

	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		for (size_t i = 0; i < f->mounts.n_v1; i++)
			if (strcmp(f->mounts.v1[i].controller, names[n]) == 0) {
				f->note = names[n];
				f->top = f->mounts.v1[i].path;
				return;
			}
	f->note = "";
	f->top = f->mounts.v2;
}

static bool is_own_path(const char *path, void *arg)
{
	const struct insp_fleet *f = arg;

	for (size_t i = 0; i < f->n; i++)
		if (f->members[i].w && str_eq(f->members[i].w->path, path))
			return true;
	return false;
}

/* A sample keeps some ten files of each container open. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void fleet_closep(struct insp_fleet **f)
{
	insp_fleet_close(*f);
}

int insp_fleet_open(struct insp_sys *sys, const struct insp_fleet_opts *opts,
		    struct insp_fleet **ret_fleet, struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_(fleet_closep) struct insp_fleet *f = NULL;
	int r;

	if (!sys->live)
		return insp_err_say(err, -ENOTSUP, "only what runs on this host can be sampled");
	f = calloc(1, sizeof(*f));
	if (!f)
		return insp_err_set(err, -ENOMEM, "watch the containers");
	f->sys = sys;
	f->opts = *opts;
	raise_files();
	/* without a cgroup hierarchy everything is summed */
	if (cgroup_mounts_read(sys, &f->mounts, NULL) < 0)
		f->mounts = (struct cgroup_mounts){ 0 };
	choose_note(f);
	/* before the list: what comes while it is made is not missed */
	if (f->top && newcomers_open(f->top, &f->newcomers) < 0)
		f->newcomers = NULL;
	r = fleet_list(f, diags, err);
	if (r < 0)
		return r;
	if (f->newcomers)
		(void)newcomers_watch_all(f->newcomers, is_own_path, f);
	*ret_fleet = TAKE_PTR(f);
	return 0;
}

struct insp_fleet *insp_fleet_close(struct insp_fleet *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n; i++)
		member_clear(&f->members[i]);
	for (size_t i = 0; i < f->n_leavers; i++)
		insp_container_free(f->leavers[i].c);
	forget_ended(f);
	newcomers_close(f->newcomers);
	cgroup_mounts_free(&f->mounts);
	free(f->members);
	free(f->items);
	free(f->leavers);
	free(f->ended);
	free(f);
	return NULL;
}

void insp_fleet_set(struct insp_fleet *f, const struct insp_fleet_opts *opts)
{
	bool fields = f->opts.fields != opts->fields;

	f->dirty = f->dirty || f->opts.want != opts->want;
	f->opts = *opts;
	for (size_t i = 0; i < f->n && fields; i++)
		open_watch(f, &f->members[i]);
}

/* ENODEV: its cgroup went first, its pidfd tells the rest. */
static void read_all(struct insp_fleet *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct member *m = &f->members[i];

		if (!m->w || watch_read(f->sys, m->w, &m->item.sample) < 0)
			m->item.sample = (struct insp_sample){ 0 };
	}
}

static int copy_items(struct insp_fleet *f)
{
	struct insp_fleet_item *items = reallocarray(f->items, f->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	f->items = items;
	f->n_items = f->n;
	for (size_t i = 0; i < f->n; i++)
		items[i] = f->members[i].item;
	return 0;
}

int insp_fleet_sample(struct insp_fleet *f, struct insp_diags *diags, struct insp_err *err)
{
	int r = 0;

	forget_ended(f);
	f->n_items = 0;
	settle_leavers(f);
	take_leavers(f);
	if (f->newcomers && newcomers_update(f->newcomers, stats_now()))
		f->dirty = true;
	if (f->newcomers)
		r = take_newcomers(f);
	if (r >= 0 && list_is_due(f))
		r = fleet_list(f, diags, err);
	if (r >= 0)
		r = fleet_walk(f);
	if (r < 0)
		return err && err->code ? r : insp_err_set(err, r, "watch the containers");
	read_all(f);
	r = copy_items(f);
	return r < 0 ? insp_err_set(err, r, "watch the containers") : 0;
}

size_t insp_fleet_items(const struct insp_fleet *f, const struct insp_fleet_item **ret_items)
{
	*ret_items = f->items;
	return f->n_items;
}

size_t insp_fleet_ended(const struct insp_fleet *f, struct insp_container *const **ret_ended)
{
	*ret_ended = f->ended;
	return f->n_ended;
}
