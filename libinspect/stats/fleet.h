/* The inside of struct insp_fleet. */
#ifndef SONDE_STATS_FLEET_H
#define SONDE_STATS_FLEET_H

#include "libinspect/stats/watch.h"

/*
 * New cgroup directories of one hierarchy, by inotify. The containers' own directories are not watched: what is made in them
 * is theirs. A directory counts as new until a process in it was found to be a container's, or for five seconds: a runtime
 * makes the cgroup first, then the process, then the record.
 */
struct newcomers;
/* top: where the hierarchy is mounted. -errno of inotify_init1(2) or inotify_add_watch(2). */
int newcomers_open(const char *top, struct newcomers **ret);
struct newcomers *newcomers_close(struct newcomers *nc);
/* is_own(path, arg): whether path is a container's own cgroup. Watches what is there below the top. */
int newcomers_watch_all(struct newcomers *nc, bool (*is_own)(const char *path, void *arg),
			void *arg);
/* Takes up what happened. true: events were lost, only a list of all tells. */
bool newcomers_update(struct newcomers *nc, int64_t now);
/* path is to be looked at for five seconds, as if it were new. */
void newcomers_expect(struct newcomers *nc, const char *path, int64_t now);
/*
 * The next candidate from *at on, NULL: no more. What it is said of is the caller's to look up; newcomers_settle() when it is
 * known: as a container's own it is no longer watched. ret_age: nanoseconds since it was expected.
 */
const char *newcomers_next(struct newcomers *nc, size_t *at, int64_t now, int64_t *ret_age);
void newcomers_settle(struct newcomers *nc, const char *path, bool own);

struct member {
	struct insp_fleet_item item;
	struct watch *w; /* NULL: it does not run, or could not be opened */
	bool listed;	 /* by the list that is merged just now */
};

/* Ended, but its record did not say so yet. */
struct leaver {
	struct insp_container *c;
	int64_t since;
};

struct insp_fleet {
	struct insp_sys *sys;
	struct insp_fleet_opts opts;
	struct cgroup_mounts mounts;
	const char *note;	     /* the hierarchy that is watched: a v1 controller, "" for v2 */
	const char *top;	     /* where it is mounted; NULL: none is */
	struct newcomers *newcomers; /* NULL: not to be had, only lists tell */
	struct member *members;
	size_t n, cap;
	struct insp_fleet_item *items; /* copies of members', for the caller */
	size_t n_items;
	struct leaver *leavers;
	size_t n_leavers, cap_leavers;
	struct insp_container **ended;
	size_t n_ended, cap_ended;
	int64_t listed_at, list_cost; /* ns */
	int64_t walked_at, walk_cost; /* of /proc, for those without a cgroup */
	bool dirty;		      /* a list is due */
};

/* Which processes belong to the members that are summed: one walk of /proc for all. */
int fleet_walk(struct insp_fleet *fleet);
/* Takes c; a member with that id or that process becomes it. -ENOMEM. */
int fleet_adopt(struct insp_fleet *fleet, struct insp_container *c);
int fleet_list(struct insp_fleet *fleet, struct insp_diags *diags, struct insp_err *err);

#endif
