/* New cgroups, by inotify. kernfs tells of directories that somebody makes and removes (vfs_mkdir(), vfs_rmdir()). */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/stats/fleet.h"

#include <sys/inotify.h>

#define PLACES_MAX 4096 /* directories that are watched at most */
#define DEPTH_MAX  12
#define NEW_FOR_NS INT64_C(5000000000)

struct place {
	int wd;
	char *path; /* below the top: "", "/docker" */
};

struct fresh {
	char *path;
	int64_t until;
};

struct newcomers {
	int fd;
	char *top;
	struct place *places;
	size_t n, cap;
	struct fresh *fresh;
	size_t n_fresh, cap_fresh;
};

struct newcomers *newcomers_close(struct newcomers *nc)
{
	if (!nc)
		return NULL;
	for (size_t i = 0; i < nc->n; i++)
		free(nc->places[i].path);
	for (size_t i = 0; i < nc->n_fresh; i++)
		free(nc->fresh[i].path);
	util_close(nc->fd);
	free(nc->places);
	free(nc->fresh);
	free(nc->top);
	free(nc);
	return NULL;
}

/* Returns whether it is watched, also when it was before. */
static bool watch_place(struct newcomers *nc, const char *path)
{
	_cleanup_free_ char *full = str_format("%s%s", nc->top, path);
	char *copy;
	int wd;

	if (!full || nc->n >= PLACES_MAX ||
	    !util_grow(&nc->places, nc->n, &nc->cap, sizeof(*nc->places), 64))
		return false;
	wd = inotify_add_watch(nc->fd, full,
			       IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK);
	if (wd < 0)
		return false;
	for (size_t i = 0; i < nc->n; i++)
		if (nc->places[i].wd == wd)
			return true;
	copy = str_dup(path);
	if (!copy)
		return false;
	nc->places[nc->n++] = (struct place){ wd, copy };
	return true;
}

int newcomers_open(const char *top, struct newcomers **ret)
{
	struct newcomers *nc = calloc(1, sizeof(*nc));

	if (!nc)
		return -ENOMEM;
	nc->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	nc->top = str_dup(top);
	if (nc->fd < 0 || !nc->top || !watch_place(nc, "")) {
		newcomers_close(nc);
		return -EOPNOTSUPP;
	}
	*ret = nc;
	return 0;
}

struct walk {
	struct newcomers *nc;
	bool (*is_own)(const char *path, void *arg);
	void *arg;
	int64_t now; /* not 0: what is found is new */
};

static void walk_below(struct walk *walk, const char *path, int depth)
{
	_cleanup_free_ char *full = str_format("%s%s", walk->nc->top, path);
	_cleanup_io_dir_ struct io_dir *dir = NULL;

	if (!full || depth == DEPTH_MAX || io_opendir(AT_FDCWD, full, &dir) < 0)
		return;
	for_each_entry (de, dir) {
		_cleanup_free_ char *below = NULL;

		if (de->d_type != DT_DIR || !(below = str_format("%s/%s", path, de->d_name)))
			continue;
		if (walk->is_own && walk->is_own(below, walk->arg))
			continue;
		if (walk->now)
			newcomers_expect(walk->nc, below, walk->now);
		if (watch_place(walk->nc, below))
			walk_below(walk, below, depth + 1);
	}
}

int newcomers_watch_all(struct newcomers *nc, bool (*is_own)(const char *path, void *arg),
			void *arg)
{
	struct walk walk = { nc, is_own, arg, 0 };

	walk_below(&walk, "", 0);
	return nc->n >= PLACES_MAX ? -E2BIG : 0;
}

void newcomers_expect(struct newcomers *nc, const char *path, int64_t now)
{
	char *copy;

	for (size_t i = 0; i < nc->n_fresh; i++)
		if (strcmp(nc->fresh[i].path, path) == 0) {
			nc->fresh[i].until = now + NEW_FOR_NS;
			return;
		}
	copy = str_dup(path);
	if (!copy || !util_grow(&nc->fresh, nc->n_fresh, &nc->cap_fresh, sizeof(*nc->fresh), 16)) {
		free(copy);
		return;
	}
	nc->fresh[nc->n_fresh++] = (struct fresh){ copy, now + NEW_FOR_NS };
}

static struct place *find_place(struct newcomers *nc, int wd)
{
	for (size_t i = 0; i < nc->n; i++)
		if (nc->places[i].wd == wd)
			return &nc->places[i];
	return NULL;
}

static void forget_place(struct newcomers *nc, struct place *p)
{
	free(p->path);
	*p = nc->places[--nc->n];
}

/* What was made in it before it was watched is found by looking. */
static void on_create(struct newcomers *nc, const struct place *p, const char *name, int64_t now)
{
	_cleanup_free_ char *path = str_format("%s/%s", p->path, name);
	struct walk walk = { .nc = nc, .now = now };

	if (!path)
		return;
	newcomers_expect(nc, path, now);
	if (watch_place(nc, path))
		walk_below(&walk, path, 0);
}

/* true: events were lost */
static bool on_event(struct newcomers *nc, const struct inotify_event *e, int64_t now)
{
	struct place *p = find_place(nc, e->wd);

	if (e->mask & IN_Q_OVERFLOW)
		return true;
	if (p && e->mask & IN_IGNORED)
		forget_place(nc, p);
	else if (p && e->mask & IN_CREATE && e->mask & IN_ISDIR && e->len > 0)
		on_create(nc, p, e->name, now);
	return false;
}

static void drop_old(struct newcomers *nc, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < nc->n_fresh; i++) {
		if (nc->fresh[i].until > now)
			nc->fresh[n++] = nc->fresh[i];
		else
			free(nc->fresh[i].path);
	}
	nc->n_fresh = n;
}

bool newcomers_update(struct newcomers *nc, int64_t now)
{
	char buf[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool lost = false;
	ssize_t n;

	drop_old(nc, now);
	while ((n = read(nc->fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);

			lost = on_event(nc, e, now) || lost;
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	return lost;
}

const char *newcomers_next(struct newcomers *nc, size_t *at, int64_t now, int64_t *ret_age)
{
	if (*at >= nc->n_fresh)
		return NULL;
	*ret_age = now - (nc->fresh[*at].until - NEW_FOR_NS);
	return nc->fresh[(*at)++].path;
}

static void unwatch(struct newcomers *nc, const char *path)
{
	for (size_t i = 0; i < nc->n; i++)
		if (str_path_is_below(nc->places[i].path, path))
			/* IN_IGNORED follows, and takes it off the list */
			inotify_rm_watch(nc->fd, nc->places[i].wd);
}

void newcomers_settle(struct newcomers *nc, const char *path, bool own)
{
	_cleanup_free_ char *kept = str_dup(path); /* path may be of what is freed here */
	size_t n = 0;

	if (!kept)
		return;
	for (size_t i = 0; i < nc->n_fresh; i++) {
		if (strcmp(nc->fresh[i].path, kept) != 0 &&
		    !(own && str_path_is_below(nc->fresh[i].path, kept)))
			nc->fresh[n++] = nc->fresh[i];
		else
			free(nc->fresh[i].path);
	}
	nc->n_fresh = n;
	if (own)
		unwatch(nc, kept);
}
