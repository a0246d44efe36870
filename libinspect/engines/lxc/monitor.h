/*
 * What lives of the engines that stand on liblxc. Each running container has a monitor process of the host: it calls
 * itself "[lxc monitor] LXCPATH NAME" (lxccontainer.c: do_lxcapi_start(), liblxc 1.0 to 6.0), and the container's init is
 * its child.
 *
 * cgroups by name lead to a monitor without a walk over /proc, and prove nothing: whoever may write below a cgroup calls
 * one there as he likes, and a second container of the same name gets "-1" behind its own. So a container is claimed
 * only through its monitor: a program of the host that runs as the owner of the store.
 */
#ifndef SONDE_ENGINES_LXC_MONITOR_H
#define SONDE_ENGINES_LXC_MONITOR_H

#include "libinspect/engines/freezer.h"
#include "libinspect/engines/hostproc.h"

struct lxc_monitor {
	struct hostproc proc;
	char *path; /* LXCPATH as the monitor sees it, without slashes at its end */
	char *name;
	bool claimed;
};
void lxc_monitor_free(struct lxc_monitor *m);
#define _cleanup_lxc_monitor_ _cleanup_(lxc_monitor_free)

/* Parses the arguments (buf, len) of a monitor. Neither path nor name is empty. -EBADMSG: it is none; -ENOMEM. */
int lxc_monitor_parse(const char *buf, size_t len, char **ret_path, char **ret_name);

/* The monitors of one engine, by the beginnings of its programs' names (NULL-terminated). */
struct lxc_live {
	struct engine_scan *scan;
	const char *const *programs;
	struct freezer freezer;
	struct lxc_monitor *items;
	size_t n;
	bool walked; /* items are all there are */
};
void lxc_live_free(struct lxc_live *live);
#define _cleanup_lxc_live_ _cleanup_(lxc_live_free)

/* Finds all monitors, where the scan may walk. -ENOMEM. */
int lxc_live_walk(struct lxc_live *live);
/* The same for a container whose cgroup has no name that is known beforehand, also when the scan may not. */
int lxc_live_must_walk(struct lxc_live *live);

/*
 * Fills pid, pid_start, state and started of c, the container that liblxc calls name in the store at path, whose
 * directory is fd. c->owner: the store's. Without a living one the state stays. -ENOMEM.
 */
int lxc_live_claim(struct lxc_live *live, int fd, const char *path, const char *name,
		   struct insp_container *c);
/* Whether a monitor is of the store at path with directory fd. */
bool lxc_monitor_is_of(const struct insp_sys *sys, const struct lxc_monitor *m, int fd,
		       const char *path);

#endif
